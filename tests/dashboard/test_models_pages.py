"""The Models page: a model prepared, switched to and taken back by real workers, and what is refused."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from dashboard.database import now_ms, reading
from dashboard.gallery import serving, swap_runs
from dashboard.gallery.serving import Standing
from dashboard.gallery.swap_runs import Phase
from dashboard.models import AuditEntry, Calibration, ServingModel, SwapRun
from tests.conftest import RedisPair
from tests.dashboard.site import Browser, Site, add_user
from tests.dashboard.test_live import beat
from tests.deploy.swap_site import FACELESS, SlowEngine, SwapSite
from tests.worker.fakes import MODEL, until
from worker.protocol.connection import connect

pytest_plugins = ["tests.dashboard.pages"]

OTHER = "resnet50-triplet-0123456789ab"
HELD = {"models_held": [MODEL, OTHER], "model_id": MODEL, "ready": True}
ABOUT = {
    "id": MODEL,
    "architecture": "sface",
    "embedding_size": 128,
    "alpha": 10.0,
    "licence": "Apache-2.0 <i>",
    "thresholds": [{"false_match_rate": 1e-3, "distance": 10.0, "true_accept_rate": 0.972}],
    "threshold_source": "pairs of <b>somebody</b>",
}


@pytest.fixture
def at_work(site: Site, redis_pair: RedisPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SwapSite]:
    """Workers and a publisher on the site's own database."""
    monkeypatch.setattr("worker.enrolment.MAX_BLOCK_MS", 100)
    monkeypatch.setattr(SlowEngine, "pause_s", 0.0)
    made = SwapSite(redis_pair, tmp_path)
    yield made
    until(lambda: phase(site) is not Phase.RUNNING, 20)
    made.stop()


def phase(site: Site) -> Phase:
    return look(site).phase


def look(site: Site) -> swap_runs.Progress:
    with reading(site.sessions) as session:
        return swap_runs.look(session)


def runs(site: Site) -> list[tuple[str, str, str]]:
    with reading(site.sessions) as session:
        rows = session.scalars(select(SwapRun).order_by(SwapRun.begun_ms)).all()
        return [(row.goal, row.state, row.target) for row in rows]


def start(at_work: SwapSite, name: str = "w1") -> None:
    at_work.start_worker(name)
    until(lambda: name in at_work.beats() and at_work.beats()[name].ready)


def test_there_and_back(site: Site, browser: Browser, at_work: SwapSite) -> None:
    at_work.enrol("E-1", 10, 20)
    at_work.enrol("E-2", 30)
    start(at_work)
    new = at_work.bundle_id
    page = browser.get("/models").text
    for words in (MODEL, new, "2 of 2", "Prepare it", "1 in 10,000", "made up for tests", "holds", "128 numbers"):
        assert words in page, words
    assert "Back to the one before" not in page
    assert browser.post("/models/switch", {"confirm": new}).status_code == 422, "nothing is ready yet"
    assert browser.post("/models/prepare", {"target": new}).status_code == 302
    until(lambda: phase(site) is Phase.READY, 30)
    assert at_work.templates(new) == 3
    assert at_work.beats()["w1"].serving == MODEL, "preparing changes nothing at the doors"
    said = browser.get("/models/progress").json
    assert (said["done"], said["of"]) == (3, 3)
    assert f'data-key="{said["key"]}"' in browser.get("/models").text
    refused = browser.post("/models/switch", {"confirm": "resnet <b>"})
    assert (refused.status_code, 'value="resnet &lt;b&gt;"' in refused.text) == (422, True)
    assert browser.post("/models/switch", {"confirm": f" {new} "}).status_code == 302
    until(lambda: at_work.all_serve(new, 1) and runs(site)[-1][:2] == ("switch", "done"))
    page = browser.get("/models").text
    assert "Back to the one before" in page
    assert "Switched to" in page
    assert browser.post("/models/rollback", {"confirm": new}).status_code == 422
    assert browser.post("/models/rollback", {"confirm": MODEL}).status_code == 302
    until(lambda: at_work.all_serve(MODEL, 2) and runs(site)[-1] == ("switch", "done", MODEL))
    with reading(site.sessions) as session:
        trail = session.scalars(
            select(AuditEntry).where(AuditEntry.action.like("model.%")).order_by(AuditEntry.id)
        ).all()
        assert serving.read(session) == Standing(MODEL, new, None, 2, 4)
    assert [(row.action, row.subject_id) for row in trail] == [
        ("model.coming", new),
        ("model.used", new),
        ("model.coming", MODEL),
        ("model.used", MODEL),
    ]
    assert {(row.actor_id, row.via) for row in trail} == {(1, "dashboard")}


def test_who_would_be_unknown_must_be_agreed_to(site: Site, browser: Browser, at_work: SwapSite) -> None:
    at_work.enrol("E-1", 10)
    at_work.enrol("F-1", FACELESS)
    at_work.enrol("N-1")
    start(at_work)
    new = at_work.bundle_id
    browser.post("/models/prepare", {"target": new})
    until(lambda: phase(site) is Phase.READY, 30)
    page = browser.get("/models").text
    assert "2 people won’t be recognised by it" in page
    assert "Name of F-1" in page
    with site.sessions.begin() as session:
        add_user(session, "night", ["operator"])
        add_user(session, "lead", ["operator", "supervisor"], ["Yard"])
    for name in ("night", "lead"):
        page = site.browser_of(name).get("/models").text
        assert "2 people won’t be recognised by it" in page
        assert "Name of" not in page, "operators see no people, nor supervisors those of other departments"
    for agreed in ("", "1", "-5", "٣", "9" * 30):
        answer = browser.post("/models/switch", {"confirm": new, "agreed": agreed})
        assert (answer.status_code, f'value="{new}"' in answer.text) == (422, True), agreed
    assert browser.post("/models/switch", {"confirm": new, "agreed": "2"}).status_code == 302
    until(lambda: at_work.all_serve(new, 1))


def test_a_change_is_given_up_while_it_runs(
    site: Site, browser: Browser, at_work: SwapSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.gallery.swap.HOLD_MS", 2_000)
    for number in range(12):
        at_work.enrol(f"E-{number}", 10 + 10 * number)
    start(at_work)
    new = at_work.bundle_id
    monkeypatch.setattr(SlowEngine, "pause_s", 0.3)
    browser.post("/models/prepare", {"target": new})
    until(lambda: at_work.templates(new))
    assert browser.get("/models/progress").json["words"].startswith("Embedding people’s pictures")
    again = browser.post("/models/prepare", {"target": new})
    assert (again.status_code, "another command is bringing" in again.text) == (422, True)
    assert browser.post("/models/cancel").status_code == 302
    assert phase(site) is Phase.NONE
    until(lambda: ("prepare", "failed", new) in runs(site), 20)
    monkeypatch.setattr(SlowEngine, "pause_s", 0.0)
    assert "the swap was cancelled" in browser.get("/models").text
    assert at_work.templates(new) < 12
    assert browser.post("/models/cancel").status_code == 422, "nothing is being brought in any more"


def test_one_whose_process_ended_goes_on(site: Site, browser: Browser, at_work: SwapSite) -> None:
    at_work.enrol("E-1", 10)
    start(at_work)
    new = at_work.bundle_id
    with site.sessions.begin() as session:
        serving.begin(session, new, "t1")
        session.add(
            SwapRun(
                token="t1", target=new, goal="prepare", state="running", begun_ms=1, begun_by="a", unusable=0, words=""
            )
        )
    assert phase(site) is Phase.RUNNING
    with site.sessions.begin() as session:
        session.execute(update(ServingModel).values(held_until_ms=now_ms() - 1))
    page = browser.get("/models").text
    for words in ("It has stopped before it was ready", "Go on", "Interrupted"):
        assert words in page, words
    assert browser.post("/models/prepare", {"target": new}).status_code == 302
    until(lambda: phase(site) is Phase.READY, 30)


@pytest.mark.parametrize(
    "target", ["", "sface", "<script>", "../../etc/passwd", "a" * 500, f"{OTHER}\n", "sface-٠١٢٣٤٥٦٧٨٩ab"]
)
def test_what_is_no_models_id(browser: Browser, target: str) -> None:
    answer = browser.post("/models/prepare", {"target": target})
    assert answer.status_code == 422
    assert "<script>" not in answer.text


def test_a_model_that_not_all_workers_hold_is_refused(site: Site, browser: Browser, redis_pair: RedisPair) -> None:
    answer = browser.post("/models/prepare", {"target": OTHER})
    assert (answer.status_code, "no worker is running" in answer.text) == (422, True)
    beat(redis_pair, "worker", "w1", HELD)
    beat(redis_pair, "worker", "w2", HELD | {"models_held": [MODEL]})
    page = browser.get("/models").text
    assert "Not on all workers" in page
    assert "Lacking on s0/w2" in page
    answer = browser.post("/models/prepare", {"target": OTHER})
    assert (answer.status_code, "worker s0/w2 doesn&#39;t hold" in answer.text) == (422, True)
    assert look(site).now == Standing(), "nothing was begun"
    away = {"s0": connect("redis://127.0.0.1:1", name="test")}
    site.app.extensions["attendance"] = replace(site.app.extensions["attendance"], lives=away)
    assert "live Redis doesn’t answer" in browser.get("/models").text
    assert "nothing can be begun" in browser.post("/models/prepare", {"target": OTHER}).text


def test_what_workers_announce_is_shown_and_not_believed(browser: Browser, redis_pair: RedisPair) -> None:
    beat(redis_pair, "worker", "w1", HELD | {"models": [ABOUT, {"id": "<b>"}, 7, None]})
    page = browser.get("/models").text
    for words in ("Apache-2.0 &lt;i&gt;", "1 in 1,000", "97.2 %", "10.000", "pairs of &lt;b&gt;somebody"):
        assert words in page, words
    odd: list[dict[str, object]] = [
        {"models": "x", "models_held": {"a": 1}, "models_loaded": [], "models_failed": 3, "model_id": 5},
        {"models": [ABOUT | {"thresholds": [{"false_match_rate": 0, "distance": 1}]}], "models_held": [None, "<b>"]},
        {
            "models": [ABOUT | {"id": "odd-0123456789ab", "accuracy": {"lfw_view2": 7}}],
            "models_held": ["odd-0123456789ab"],
        },
        {"models": [ABOUT | {"licence": "x" * 5_000}], "ready": True, "threshold": "NaN", "promised_fpir": [1]},
    ]
    for number, data in enumerate(odd):
        beat(redis_pair, "worker", f"odd-{number}", data)
    page = browser.get("/models").text
    assert "isn’t noted in its bundle" in page, "none, or figures that are no shares, cost the figures alone"
    answer = browser.get("/models")
    assert answer.status_code == 200
    assert "<b>" not in answer.text


def test_how_accurate_a_model_is(browser: Browser, redis_pair: RedisPair) -> None:
    known = {"lfw_view2": 0.9947, "lfw_view2_std": 0.0024, "takes": 12, "takes_recognised": 11, "takes_confused": 0}
    beat(redis_pair, "worker", "w1", HELD | {"models": [ABOUT | {"accuracy": known}]})
    page = browser.get("/models").text
    assert "right in 99.5 %" in page
    assert "± 0.2" in page
    assert "11 of 12 recognised, 0 under a wrong name" in page
    assert "LFW, every pair" not in page, "what wasn't measured isn't there"


def test_the_figures_in_force_and_the_sites_own_people(site: Site, browser: Browser, redis_pair: RedisPair) -> None:
    figures = {"threshold": 9.125, "gallery_size": 40, "promised_fpir": 0.002, "meets_target": False}
    beat(redis_pair, "worker", "w1", HELD | figures | {"site_limit": 9.125})
    page = browser.get("/models").text
    for words in (
        "9.125",
        "the site’s own limit",
        "0.2 % of presences; 0.1 % is wanted",
        "Misses the target",
        "Nobody has looked",
    ):
        assert words in page, words
    with site.sessions.begin() as session:
        found = {"people": 40, "matches": 3, "threshold": 9.5, "site_limit": 9.125}
        session.add(Calibration(model_id=MODEL, made_ms=now_ms(), made_by="root", action="apply", **found))
    page = browser.get("/models").text
    assert "3 pairs of different people were within the threshold of 9.500" in page
    assert re.search(r"9\.1250 <span class=.soft.>stricter", page)


def test_only_operators_change_something(site: Site, redis_pair: RedisPair) -> None:
    beat(redis_pair, "worker", "w1", HELD)
    with site.sessions.begin() as session:
        for role in ("hr", "auditor", "operator"):
            add_user(session, role, [role])
    for role, forms in (("hr", 3), ("auditor", 2), ("operator", 4)):  # log out, language; see who looks alike; prepare
        assert site.browser_of(role).get("/models").text.count('method="post"') == forms, role
