"""Webhooks: signed as Standard Webhooks has it, noted with the change, tried again, given up, sent again."""

import base64
import hashlib
import hmac
import ipaddress
import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import func, select, update

from dashboard.database import SessionFactory, now_ms, reading
from dashboard.deliverer import share_out
from dashboard.models import Change, Delivery, Webhook
from dashboard.people import departments
from dashboard.people.employees import create_employee, update_employee
from dashboard.recording.records import record
from dashboard.settings import DashboardSettings
from dashboard.webhooks import changes, deliveries, signing, subscriptions
from dashboard.webhooks.deliveries import Attempt, pause_ms
from dashboard.webhooks.sender import Sender
from dashboard.webhooks.subscriptions import WebhookProblem
from tests.dashboard.hook_server import HookServer, hook_server
from tests.dashboard.support import until
from worker.protocol.entries import Decision

LOCAL = (ipaddress.ip_network("127.0.0.0/8"),)
DAY_MS = 86_400_000


@pytest.fixture
def target() -> Iterator[HookServer]:
    with hook_server() as server:
        yield server


def subscribe(factory: SessionFactory, url: str, *kinds: str) -> Webhook:
    with factory.begin() as session:
        return subscriptions.add(session, url, kinds or ("punch.recorded", "employee.changed"), "test")


def add_employee(factory: SessionFactory, code: str = "E-1") -> str:
    with factory.begin() as session:
        return create_employee(session, code, "Ayu", "Dock", now_ms=now_ms()).id


def all_deliveries(factory: SessionFactory) -> list[Delivery]:
    with reading(factory) as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.id)))


def the_webhook(factory: SessionFactory) -> Webhook:
    with reading(factory) as session:
        return session.scalars(select(Webhook)).one()


def make_due(factory: SessionFactory, **values: int) -> None:
    with factory.begin() as session:
        session.execute(update(Delivery).values(next_try_ms=0, **values))


def test_the_signature_is_that_of_the_standards_example() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signed = signing.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_without_listeners_nothing_is_noted(factory: SessionFactory) -> None:
    add_employee(factory)
    with reading(factory) as session:
        assert session.scalar(select(func.count()).select_from(Change)) == 0


def test_a_change_that_is_rolled_back_is_told_to_nobody(factory: SessionFactory, target: HookServer) -> None:
    subscribe(factory, target.url)
    with factory() as session:
        create_employee(session, "E-1", "Ayu", now_ms=now_ms())
        session.rollback()
    assert share_out(factory) == 0


def test_a_punch_is_delivered_with_its_figures_and_a_signature_that_fits(
    factory: SessionFactory,
    settings: DashboardSettings,
    make_decision: Callable[..., Decision],
    target: HookServer,
) -> None:
    webhook = subscribe(factory, target.url, "punch.recorded")
    employee_id = add_employee(factory)
    decision = make_decision(employee_id)
    with factory.begin() as session:
        record(session, decision, decision.captured_ms + 900, settings)
    share_out(factory)
    assert Sender(factory, LOCAL).deliver_one(webhook.id)
    _, headers, body = target.seen[0]
    told = json.loads(body)
    assert told["type"] == "punch.recorded"
    assert told["data"]["id"] == decision.event_id
    assert (told["data"]["employee_code"], told["data"]["direction"]) == ("E-1", "in")
    assert (told["data"]["captured_at"], told["data"]["local_time"]) == (
        "2026-11-24T00:00:00.000Z",
        "2026-11-24T07:00:00.000",
    )
    assert "Ayu" not in body.decode()
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(webhook.secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert all_deliveries(factory)[0].state == "delivered"
    assert not Sender(factory, LOCAL).deliver_one(webhook.id)


def test_each_webhook_is_told_of_its_own_events(factory: SessionFactory, target: HookServer) -> None:
    subscribe(factory, target.url, "punch.recorded")
    both = subscribe(factory, target.url)
    employee_id = add_employee(factory)
    with factory.begin() as session:
        update_employee(session, employee_id, name="Budi", department="")
    assert share_out(factory) == 2
    assert [one.webhook_id for one in all_deliveries(factory)] == [both.id, both.id]


def test_a_target_that_is_down_is_tried_again_under_the_same_id(factory: SessionFactory, target: HookServer) -> None:
    target.answers = ["500", "200"]
    webhook = subscribe(factory, target.url)
    add_employee(factory, "E-1")
    add_employee(factory, "E-2")
    share_out(factory)
    sender = Sender(factory, LOCAL)
    assert not sender.deliver_one(webhook.id)
    first, other = all_deliveries(factory)
    assert (first.state, first.attempts, first.last_words) == ("pending", 1, "answered 500")
    assert other.next_try_ms > now_ms()  # the others wait too, instead of running into it
    assert the_webhook(factory).failing_since_ms is not None
    make_due(factory)
    assert sender.deliver_one(webhook.id)
    assert target.seen[0][1]["webhook-id"] == target.seen[1][1]["webhook-id"]
    assert the_webhook(factory).failing_since_ms is None


def test_a_refusal_of_one_holds_up_no_other(factory: SessionFactory, target: HookServer) -> None:
    target.answers = ["400", "200"]
    webhook = subscribe(factory, target.url)
    add_employee(factory, "E-1")
    add_employee(factory, "E-2")
    share_out(factory)
    sender = Sender(factory, LOCAL)
    assert sender.deliver_one(webhook.id)
    assert sender.deliver_one(webhook.id)
    assert [one.state for one in all_deliveries(factory)] == ["pending", "delivered"]


def test_after_three_days_it_is_given_up_and_can_be_sent_again(factory: SessionFactory, target: HookServer) -> None:
    target.answers = ["503"]
    webhook = subscribe(factory, target.url)
    add_employee(factory)
    share_out(factory)
    make_due(factory, tried_since_ms=now_ms() - 3 * DAY_MS)
    Sender(factory, LOCAL).deliver_one(webhook.id)
    dead = all_deliveries(factory)[0]
    assert (dead.state, dead.last_words) == ("dead", "answered 503")
    target.answers = ["200"]
    with factory.begin() as session:
        assert subscriptions.replay(session, delivery_id=dead.id + 1) == 0
        assert subscriptions.replay(session, webhook.id) == 1
    Sender(factory, LOCAL).deliver_one(webhook.id)
    assert all_deliveries(factory)[0].state == "delivered"
    assert len({headers["webhook-id"] for _, headers, _ in target.seen}) == 1


@pytest.mark.parametrize(("answer", "days", "why"), [("500", 7, "failed for a week"), ("410", 0, "gone for good")])
def test_a_target_that_is_gone_is_disabled_with_words(
    factory: SessionFactory, target: HookServer, answer: str, days: int, why: str
) -> None:
    target.answers = [answer]
    webhook = subscribe(factory, target.url)
    add_employee(factory)
    add_employee(factory, "E-2")
    share_out(factory)
    if days:
        with factory.begin() as session:
            session.execute(update(Webhook).values(failing_since_ms=now_ms() - days * DAY_MS))
    Sender(factory, LOCAL).deliver_one(webhook.id)
    assert why in the_webhook(factory).disabled_why
    assert [one.state for one in all_deliveries(factory)] == ["dead", "dead"]
    add_employee(factory, "E-3")
    assert share_out(factory) == 0
    with factory.begin() as session, pytest.raises(WebhookProblem, match="enable it first"):
        subscriptions.replay(session, webhook.id)
    with factory.begin() as session:
        subscriptions.enable(session, webhook.id)
        assert subscriptions.replay(session, webhook.id) == 2


def test_while_a_secret_is_replaced_both_fit(factory: SessionFactory) -> None:
    webhook = subscribe(factory, "https://example.com/")
    with factory.begin() as session:
        after = subscriptions.rotate(session, webhook.id)
    now = now_ms()
    assert subscriptions.valid_secrets(after, now) == [after.secret, webhook.secret]
    assert subscriptions.valid_secrets(after, now + DAY_MS + 1) == [after.secret]
    assert len(signing.headers([after.secret, webhook.secret], "m", 1, b"")["webhook-signature"].split()) == 2


def test_a_slow_target_holds_up_no_other(factory: SessionFactory, target: HookServer) -> None:
    with hook_server("hang") as slow:
        subscribe(factory, slow.url)
        subscribe(factory, target.url)
        add_employee(factory)
        share_out(factory)
        sender = Sender(factory, LOCAL)
        sender.step()
        until(lambda: len(target.seen) == 1 and len(slow.seen) == 1, 5)
        add_employee(factory, "E-2")
        share_out(factory)
        until(lambda: sender.step() is None and len(target.seen) == 2, 5)
        assert len(slow.seen) == 1
        slow.released.set()
        for thread in sender.busy.values():
            thread.join(5)


def test_several_deliverers_share_out_and_deliver_each_once(factory: SessionFactory, target: HookServer) -> None:
    webhook = subscribe(factory, target.url)
    for number in range(12):
        add_employee(factory, f"E-{number}")

    def work() -> None:
        share_out(factory)
        sender = Sender(factory, LOCAL)
        while sender.deliver_one(webhook.id):
            pass

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    work()
    ids = [headers["webhook-id"] for _, headers, _ in target.seen]
    assert len(ids) == len(set(ids)) == 12


def test_a_private_target_is_refused_when_it_is_sent_to(factory: SessionFactory, target: HookServer) -> None:
    webhook = subscribe(factory, target.url)
    add_employee(factory)
    share_out(factory)
    Sender(factory).deliver_one(webhook.id)
    assert target.seen == []
    assert "ATTENDANCE_DASHBOARD_PRIVATE_TARGETS" in all_deliveries(factory)[0].last_words


@pytest.mark.parametrize(
    ("url", "kinds", "said"),
    [
        ("https://example.com/", [], "choose from"),
        ("https://example.com/", ["all"], "punch.recorded"),
        ("x", ["punch.recorded"], "URL"),
    ],
)
def test_a_webhook_that_cannot_be_made_says_why(factory: SessionFactory, url: str, kinds: list[str], said: str) -> None:
    with factory.begin() as session, pytest.raises(WebhookProblem, match=said):
        subscriptions.add(session, url, kinds, "test")


def test_pauses_grow_with_jitter_and_have_an_end() -> None:
    assert 2_500 <= pause_ms(0) <= 5_000
    assert 20_000 <= pause_ms(3) <= 40_000
    assert pause_ms(500) <= 6 * 3_600_000
    assert pause_ms(0, retry_after_s=600) == 600_000
    assert pause_ms(0, retry_after_s=999_999) == 6 * 3_600_000
    assert len({pause_ms(10) for _ in range(20)}) > 1
    assert not Attempt(302, "").taken


def test_what_was_delivered_long_ago_is_forgotten(factory: SessionFactory, target: HookServer) -> None:
    webhook = subscribe(factory, target.url)
    add_employee(factory)
    share_out(factory)
    Sender(factory, LOCAL).deliver_one(webhook.id)
    with factory.begin() as session:
        deliveries.prune(session, now_ms() + DAY_MS)
    assert len(all_deliveries(factory)) == 1
    with factory.begin() as session:
        deliveries.prune(session, now_ms() + 4 * DAY_MS)
    assert all_deliveries(factory) == []


def test_days_that_changed_are_told_by_the_person_alone(factory: SessionFactory) -> None:
    employee_id = add_employee(factory)
    subscribe(factory, "https://payroll.example.com/hook", "days.changed")
    with factory.begin() as session:
        changes.queue_change(session, changes.DAYS_CHANGED, employee_id)
    share_out(factory)
    (delivery,) = all_deliveries(factory)
    with reading(factory) as session:
        told = json.loads(deliveries.payload(session, delivery))
    assert told["type"] == "days.changed"
    assert told["data"] == {"employee_id": employee_id, "employee_code": "E-1"}


def test_renaming_a_department_is_told_for_each_of_its_people(factory: SessionFactory) -> None:
    people = {add_employee(factory, code) for code in ("E-1", "E-2")}
    subscribe(factory, "https://payroll.example.com/hook")
    with factory.begin() as session:
        departments.rename(session, "Dock", "Pier")
    with reading(factory) as session:
        assert set(session.scalars(select(Change.subject_id))) == people
