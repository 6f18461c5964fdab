"""Whatever changes something writes to the audit trail, in the same transaction, and never names or secrets."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from dashboard.access import second_factor
from dashboard.auditing import audit
from dashboard.database import reading
from dashboard.gallery import calibration, serving
from dashboard.gallery.calibration import Made
from dashboard.models import AuditEntry, Change, Employee, EnrolmentPicture, SecondFactor, User
from dashboard.people.employees import create_employee
from dashboard.webhooks import subscriptions
from tests.conftest import RedisPair
from tests.dashboard.api_client import ApiClient
from tests.dashboard.audited import (
    DOING,
    NO_CHANGE,
    TESTED_BELOW,
    WITH_THEIR_PAGES,
    add_connections,
    add_rules,
    code,
)
from tests.dashboard.site import PASSWORD, Browser, Site, add_user
from worker.protocol import keys
from worker.protocol.outcomes import Outcome

pytest_plugins = ["tests.dashboard.pages"]


def last(site: Site) -> AuditEntry:
    with reading(site.sessions) as session:
        return session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()


def count(site: Site) -> int:
    with reading(site.sessions) as session:
        return session.scalar(select(func.count()).select_from(AuditEntry)) or 0


def add_person(site: Site) -> str:
    with site.sessions.begin() as session:
        return create_employee(session, "E-1", "Secret Name", "Dock", now_ms=1).id


def turn_on(site: Site, browser: Browser) -> None:
    """The admin's second factor, with a code that is used up as if it were an hour ago."""
    browser.post("/account/second-factor/begin")
    assert browser.post("/account/second-factor", {"code": code(site)}).status_code == 200
    with site.sessions.begin() as session:
        session.get_one(SecondFactor, 1).last_step = 0


def test_every_post_that_changes_something_is_in_the_table(site: Site) -> None:
    posts = {rule.endpoint for rule in site.app.url_map.iter_rules() if "POST" in (rule.methods or set())}
    posts = {endpoint for endpoint in posts if not endpoint.startswith("api.")}
    assert posts == set(DOING) | NO_CHANGE | TESTED_BELOW | WITH_THEIR_PAGES, (
        "say here what the trail tells of a new POST"
    )


@pytest.mark.parametrize("endpoint", DOING)
def test_it_is_in_the_trail(site: Site, endpoint: str, worker: Callable[..., Any], redis_pair: RedisPair) -> None:
    name, path, form, action = DOING[endpoint]
    person = add_person(site)
    with site.sessions.begin() as session:
        add_user(session, "other", ["hr"])
        picture = EnrolmentPicture(id="p1", employee_id=person, sha256="0" * 64, jpeg=b"x", created_ms=1)
        session.add(picture)
        add_rules(session, person)
        session.add(Employee(id="twin", code="E-7", name="Secret Twin", created_ms=1))
    known = {"person": person, "other": 2, **add_connections(site, person)}
    browser = site.browser()
    site.browser()
    redis_pair.live.zadd(keys.kiosks("s0"), {"front-door": 1})
    if endpoint in ("account.new_codes", "account.remove_factor", "auth.second_step"):
        turn_on(site, browser)
    if endpoint == "account.factor":
        browser.post("/account/second-factor/begin")
    if not name:
        browser = site.browser(log_in=False)
    if endpoint == "auth.second_step":
        assert browser.log_in().location == "/login/code"
    if endpoint == "pictures.add":
        worker(Outcome.ENROLLED)
        browser.post(f"/people/{person}/give-consent")
    data = dict(form(site) if callable(form) else form)
    if endpoint == "pictures.add":
        picture_file = io.BytesIO()
        Image.new("RGB", (120, 120), (90, 80, 70)).save(picture_file, "JPEG")
        data["pictures"] = [(io.BytesIO(picture_file.getvalue()), "face.jpg")]
    before = count(site)
    answer = browser.post(path.format(**known), data)
    assert answer.status_code in (200, 302), answer.text
    assert count(site) == before + 1
    row = last(site)
    assert row.action == action
    assert (row.via, row.address) == ("dashboard", "127.0.0.1")
    assert (row.actor_id, row.roles) == (1, "hr,operator")
    if "{person}" in path or endpoint == "people.create":
        with reading(site.sessions) as session:
            entered = session.scalar(select(Employee.id).where(Employee.code == "E-2"))
        assert row.subject_id == (entered if endpoint == "people.create" else person)
    with reading(site.sessions) as session:
        assert audit.verify(session).whole


def test_failed_log_ins_name_accounts_that_exist_and_nothing_that_was_typed(site: Site) -> None:
    browser = site.browser(log_in=False)
    browser.log_in("admin", "wrong password")
    row = last(site)
    assert (row.action, row.subject_type, row.subject_id, row.actor_id) == ("login.failed", "account", "1", None)
    browser.log_in("my password by mistake", "x")
    assert (last(site).action, last(site).subject_id) == ("login.failed", "")


def test_exports_are_in_the_trail_without_what_was_searched_for(site: Site, browser: Browser) -> None:
    add_person(site)
    browser.get("/attendance.csv?person=Secret+Name&department=Dock&from=2026-11-01")
    row = last(site)
    assert row.action == "export.attendance"
    assert json.loads(row.details)["after"] == {
        "person": True,
        "department": "Dock",
        "from": "2026-11-01",
        "format": "csv",
    }
    browser.get("/people.xlsx?q=Secret+Name&state=active")
    row = last(site)
    assert row.action == "export.people"
    assert json.loads(row.details)["after"] == {"q": True, "state": "active", "format": "xlsx"}
    browser.get("/audit.csv?whom=E-1&action=login")
    assert json.loads(last(site).details)["after"] == {"whom": True, "action": "login"}


def test_an_import_tells_of_everybody_and_of_itself(site: Site, browser: Browser) -> None:
    add_person(site)
    with site.sessions.begin() as session:
        subscriptions.add(session, "https://hr.example.com/hook", ["employee.changed"], "hr")
    table = (
        "code,name,department,consent\nE-1,Secret Newname,Yard,yes\nE-2,Secret Second,Dock,yes\nE-3,Secret Third,,\n"
    )
    where = browser.post("/people/import", {"table": (io.BytesIO(table.encode()), "people.csv")}).location
    digest = browser.get(where).text.split('name="digest" value="')[1].split('"')[0]
    before = count(site)
    assert browser.post(where, {"digest": digest}).status_code == 302
    with reading(site.sessions) as session:
        rows = session.scalars(select(AuditEntry).where(AuditEntry.id > before).order_by(AuditEntry.id)).all()
        people = dict(session.execute(select(Employee.code, Employee.id)).all())
        assert set(session.scalars(select(Change.subject_id))) == set(people.values()), "other systems are told too"
        assert audit.verify(session).whole
    assert [(row.action, row.subject_id) for row in rows] == [
        ("person.changed", people["E-1"]),
        ("person.consent_given", people["E-1"]),
        ("person.created", people["E-2"]),
        ("person.consent_given", people["E-2"]),
        ("person.created", people["E-3"]),
        ("people.imported", ""),
    ]
    assert json.loads(rows[0].details) == {
        "before": {"department": "Dock"},
        "after": {"department": "Yard", "name": "changed"},
    }
    assert json.loads(rows[-1].details)["after"] == {"new": 2, "changed": 1}
    assert "Secret" not in "".join(row.details for row in rows)


def test_nothing_in_the_trail_is_a_name_a_secret_or_a_picture(site: Site) -> None:
    """After a day of everything, and with the person gone, the chain is as whole as before."""
    browser, person = site.browser(), add_person(site)
    browser.post("/people/new", {"code": "E-2", "name": "Secret Newname", "consent": "1"})
    browser.post(f"/people/{person}", {"name": "Secret Third", "department": "Yard"})
    browser.post(f"/people/{person}/give-consent")
    browser.post(f"/people/{person}/leave", dict(DOING["leave.enter"][2]))  # type: ignore[arg-type]
    made = browser.post("/accounts/new", {"name": "new", "roles": ["hr"]}).text
    once = made.split('<code class="secret">')[1].split("<")[0]
    turn_on(site, browser)
    with reading(site.sessions) as session:
        secret = second_factor.secret_of(session.get_one(SecondFactor, 1), site.settings.session_key)
        hashes = list(session.scalars(select(User.password_hash)))
        text = "\n".join(
            f"{row.subject_id} {row.subject_code} {row.details}" for row in session.scalars(select(AuditEntry))
        )
    for word in ("Secret", "sick", "Newname", "Third", "E-1", "E-2", PASSWORD, once, secret, *hashes):
        assert word not in text
    with site.sessions.begin() as session:
        session.delete(session.get_one(Employee, person))
    with reading(site.sessions) as session:
        assert audit.verify(session).whole
    assert person in browser.get(f"/audit?whom={person}").text
    assert "No entries" in browser.get("/audit?whom=E-1").text


def test_a_change_whose_row_cannot_be_written_does_not_happen(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, person = site.browser(), add_person(site)

    def broken(*_: Any, **__: Any) -> str:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(audit, "add", broken)
    assert browser.post(f"/people/{person}/deactivate").status_code == 503
    with reading(site.sessions) as session:
        assert session.get_one(Employee, person).deactivated_ms is None


def test_commands_write_too(site: Site) -> None:
    with site.sessions.begin() as session:
        serving.begin(session, "new", "t")
        serving.switch(session, "t", "old", set())
        serving.begin(session, "newer", "t")
        serving.let_go(session, "t")
        serving.cancel(session)
        calibration.note_look(session, Made("new", "someone", 2, 0, 9.0))
        calibration.apply(session, Made("new", "someone", 2, 1, 9.0), 8.5)
        calibration.reset(session, "new", "someone")
    with reading(site.sessions) as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert audit.verify(session).whole
    assert [(row.action, row.subject_id, row.via) for row in rows] == [
        ("model.coming", "new", "command"),
        ("model.used", "new", "command"),
        ("model.coming", "newer", "command"),
        ("model.cancelled", "newer", "command"),
        ("calibration.looked", "new", "command"),
        ("calibration.applied", "new", "command"),
        ("calibration.reset", "new", "command"),
    ]
    assert json.loads(rows[1].details) == {"before": {"model": "old"}, "after": {"model": "new"}}
    assert json.loads(rows[5].details) == {"after": {"limit": 8.5}}


def test_the_api_tells_which_key_did_it(site: Site, browser: Browser) -> None:
    client = ApiClient(site)
    key_id = client.key.split("_")[1]
    made = client.post("/employees", {"code": "E-9", "name": "Secret Name", "department": "Dock"}).json
    path, any_state = f"/employees/{made['id']}", {"If-Match": "*"}
    client.ask("PATCH", path, json={"name": "Secret Second"}, headers=any_state)
    for step in ("deactivate", "deactivate", "reactivate"):
        assert client.post(f"{path}/{step}", headers=any_state).status_code == 200
    hook = client.post("/webhooks", {"url": "https://example.com/secret", "events": ["days.changed"]}).json["id"]
    assert client.post(f"/webhooks/{hook}/rotate").status_code == 200
    assert client.ask("DELETE", f"/webhooks/{hook}").status_code == 204
    with reading(site.sessions) as session:
        rows = session.scalars(select(AuditEntry).where(AuditEntry.via == "api").order_by(AuditEntry.id)).all()
        assert audit.verify(session).whole
    assert [row.action for row in rows] == [
        "person.created",
        "person.changed",
        "person.deactivated",
        "person.reactivated",
        "webhook.added",
        "webhook.rotated",
        "webhook.removed",
    ]
    assert {(row.key_id, row.actor_id, row.address) for row in rows} == {(key_id, None, "127.0.0.1")}
    assert "ecret" not in "".join(row.details for row in rows)
    page = browser.get("/audit?who=payroll&action=person.deactivated").text
    assert (f"att_{key_id}" in page, page.count('scope="row"')) == (True, 1)
    assert "No entries" in browser.get("/audit?who=admin&action=person.deactivated").text


def test_what_changes_nothing_writes_nothing(site: Site, browser: Browser) -> None:
    person = add_person(site)
    before = count(site)
    browser.post(f"/people/{person}", {"name": "Secret Name", "department": "Dock"})
    browser.post(f"/people/{person}/reactivate")
    browser.post(f"/people/{person}/withdraw-consent")
    browser.post("/accounts/1", {"roles": ["hr", "operator"]})
    browser.post("/account/sessions/end-others")
    browser.post("/people/new", {"code": "", "name": "x"})
    browser.get("/people")
    assert count(site) == before
