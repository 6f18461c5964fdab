"""What is right, what is not, and what to do about it: what `attendance doctor` says, as far as a dashboard can know it.

`findings` are pure: they judge what `Seen` was gathered. Words are gettext's, so they are made in a request.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.operating.running import Running, number, text
from worker.protocol.finding import Finding, State
from worker.protocol.heartbeats import Heartbeat

CLOCK_WARN_MS = 5_000
LOST_KIOSK_MS = 3_600_000
"""A kiosk that was there within the last hour is missed; one that is away for longer was taken down."""
MANY_WAITING = 50
"""Decisions of a busy minute wait for a moment; more than these mean that nobody writes them down."""
OVERDUE_MS = 300_000
"""A delivery that is due for so long isn't being tried."""
UNPUBLISHED_MS = 60_000


@dataclass
class Seen:
    """What was found at one moment. `waiting` is by shard, without those whose ledger doesn't answer."""

    now_ms: int
    running: Running
    shards: tuple[str, ...]
    live_offset_ms: Mapping[str, int | None]
    """This machine's clock minus the shard's live Redis'; None where it doesn't answer."""
    ledger_set: bool = True
    waiting: Mapping[str, "Waiting"] = field(default_factory=dict)
    schema: str = ""
    """What is wrong with the database's schema."""
    unpublished_since_ms: int | None = None
    told: bool = False
    """Whether a webhook or a connector wants to be told anything."""
    overdue_since_ms: int | None = None
    """When the oldest delivery that isn't tried was due."""


@dataclass(frozen=True)
class Waiting:
    decisions: int
    dead: int
    backlog: int


def findings(seen: Seen) -> list[Finding]:
    """Problems first, then warnings, then what is right."""
    found = [one for check in CHECKS for one in check(seen)]
    order = (State.PROBLEM, State.WARNING, State.OK)
    return sorted(found, key=lambda one: order.index(one.state))


def _database(seen: Seen) -> Iterator[Finding]:
    check = _("Database")
    if seen.schema:
        yield Finding(check, State.PROBLEM, seen.schema, _("Do what it says, then start the dashboard again."))
    else:
        yield Finding(check, State.OK, _("It answers, and has this version’s tables."))


def _live(seen: Seen) -> Iterator[Finding]:
    for shard in seen.shards:
        check = _("Live Redis, %(shard)s", shard=shard)
        offset = seen.live_offset_ms.get(shard)
        if offset is None:
            advice = _(
                "Start it: nobody is recognised without it. Kiosks keep whoever comes, where they have a site key."
            )
            yield Finding(check, State.PROBLEM, _("It doesn’t answer."), advice)
        elif abs(offset) > CLOCK_WARN_MS:
            words = _(
                "It answers, but this machine’s clock is %(seconds)s s off its clock.", seconds=round(offset / 1000)
            )
            yield Finding(check, State.PROBLEM, words, _("Let both machines follow a time server."))
        else:
            yield Finding(check, State.OK, _("It answers; the clocks agree."))


def _ledger(seen: Seen) -> Iterator[Finding]:
    if not seen.ledger_set:
        advice = _("Set ATTENDANCE_LEDGER_URL for the dashboard too: then it sees what waits.")
        yield Finding(_("Ledger"), State.WARNING, _("The dashboard isn’t told where it is."), advice)
        return
    for shard in seen.shards:
        check = _("Ledger, %(shard)s", shard=shard)
        waiting = seen.waiting.get(shard)
        if waiting is None:
            advice = _("Start it: punches can’t be kept without it. Workers hold what they decide until it is back.")
            yield Finding(check, State.PROBLEM, _("It doesn’t answer."), advice)
            continue
        if waiting.decisions > MANY_WAITING:
            words = ngettext(
                "%(num)d punch waits to be written down.", "%(num)d punches wait to be written down.", waiting.decisions
            )
            advice = _(
                "They are safe. See whether the recorder runs and the database has room; its log says what it waits for."
            )
            yield Finding(check, State.WARNING, words, advice)
        if waiting.dead:
            words = ngettext(
                "%(num)d entry can’t be read and was put aside.",
                "%(num)d entries can’t be read and were put aside.",
                waiting.dead,
            )
            advice = _("Look at them by “attendance dead list”; once the cause is gone, put them back or drop them.")
            yield Finding(check, State.WARNING, words, advice)
        if waiting.backlog:
            words = ngettext(
                "%(num)d presence that a kiosk kept during an outage waits for a worker.",
                "%(num)d presences that kiosks kept during an outage wait for a worker.",
                waiting.backlog,
            )
            keyed = any(text(beat.data, "site_key") for _shard, beat in seen.running.of_role("worker"))
            advice = (
                _("Workers take them when they have time.")
                if keyed
                else _("No worker can open them: give one ATTENDANCE_SITE_PRIVATE_KEY.")
            )
            yield Finding(check, State.OK if keyed else State.PROBLEM, words, advice)
        if not waiting.dead and not waiting.backlog and waiting.decisions <= MANY_WAITING:
            yield Finding(check, State.OK, _("It answers, and nothing is stuck in it."))


def _recorder(seen: Seen) -> Iterator[Finding]:
    alive = {shard for shard, _beat in seen.running.of_role("recorder")}
    for shard in seen.shards:
        check = _("Recorder, %(shard)s", shard=shard)
        if shard in alive:
            yield Finding(check, State.OK, _("It runs."))
        elif seen.live_offset_ms.get(shard) is not None:
            advice = _(
                "Start it: “attendance up”, or its service. Punches wait safely and are written down when it is back."
            )
            yield Finding(check, State.PROBLEM, _("None is running: nothing is written down."), advice)
    if seen.unpublished_since_ms is not None and seen.now_ms - seen.unpublished_since_ms > UNPUBLISHED_MS:
        minutes = (seen.now_ms - seen.unpublished_since_ms) // 60_000
        words = ngettext(
            "A change of somebody’s face data waits for %(num)d minute.",
            "A change of somebody’s face data waits for %(num)d minutes.",
            minutes,
        )
        advice = _("Each shard’s recorder brings it to the workers: see that all of them run, and their logs.")
        yield Finding(_("Gallery"), State.PROBLEM, words, advice)


def _workers(seen: Seen) -> Iterator[Finding]:
    workers = seen.running.of_role("worker")
    if not workers and seen.running.reachable:
        advice = _("Start one: “attendance up”, or “attendance worker”.")
        yield Finding(_("Workers"), State.PROBLEM, _("None is running: nobody is recognised at any kiosk."), advice)
    models = sorted({name for _shard, beat in workers if (name := text(beat.data, "model_id"))})
    if len(models) > 1:
        words = _("They serve different models: %(models)s", models=", ".join(models))
        yield Finding(
            _("Workers"), State.PROBLEM, words, _("Bring one in on the Models page, or set ATTENDANCE_MODEL alike.")
        )
    for _shard, beat in workers:
        yield _one_worker(beat)


def _one_worker(beat: Heartbeat) -> Finding:
    check, data = _("Worker %(name)s", name=beat.name), beat.data
    missing = text(data, "model_missing")
    if missing:
        words = _("It lacks %(model)s, which is to serve, so it judges nobody.", model=missing)
        return Finding(check, State.PROBLEM, words, _("Bring it by “attendance model push”."))
    if data.get("ready") is not True:
        words = _("It has no complete gallery yet, so it judges nobody.")
        return Finding(check, State.WARNING, words, _("If that lasts: does the recorder run?"))
    if data.get("meets_target") is False or data.get("accepts_too_few") is True:
        words = _("Its model misses what is wanted of it with so many people; the Models page has the figures.")
        return Finding(
            check,
            State.WARNING,
            words,
            _("Have people show a badge or enter a PIN as well, or bring in a better model."),
        )
    pending = number(data, "decisions_pending")
    if pending:
        words = _("It holds %(count)s decisions that the ledger hasn’t taken.", count=int(pending))
        return Finding(
            check,
            State.WARNING,
            words,
            _("See whether the ledger answers and has room. They are lost if it is killed now."),
        )
    return Finding(check, State.OK, _("It recognises."))


def _kiosks(seen: Seen) -> Iterator[Finding]:
    served = {name for _shard, beat in seen.running.of_role("worker") for name in _names(beat.data.get("kiosks_held"))}
    tells = any("kiosks_held" in beat.data for _shard, beat in seen.running.of_role("worker"))
    for name, since_ms in sorted(seen.running.seen_ms.items()):
        if name not in seen.running.kiosks and seen.running.reachable and seen.now_ms - since_ms < LOST_KIOSK_MS:
            minutes = max(1, (seen.now_ms - since_ms) // 60_000)
            words = ngettext("It was last seen %(num)d minute ago.", "It was last seen %(num)d minutes ago.", minutes)
            advice = _("Look at its screen: is it on, is its network up? Meanwhile it keeps whoever comes, if it runs.")
            yield Finding(_("Kiosk %(name)s", name=name), State.PROBLEM, words, advice)
    for _shard, beat in seen.running.of_role("kiosk"):
        yield _one_kiosk(beat, unserved=tells and beat.name not in served)


def _names(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _one_kiosk(beat: Heartbeat, unserved: bool) -> Finding:
    check, data = _("Kiosk %(name)s", name=beat.name), beat.data
    if data.get("camera") == "lost":
        words = _("Its camera gives no pictures: %(words)s", words=text(data, "camera_words"))
        return Finding(
            check, State.PROBLEM, words, _("See that it is plugged in and reachable; it is opened again by itself.")
        )
    if abs(beat.clock_offset_ms) > CLOCK_WARN_MS:
        words = _("Its clock is %(seconds)s s off.", seconds=round(beat.clock_offset_ms / 1000))
        return Finding(
            check, State.WARNING, words, _("Let it follow a time server: after an outage its times would be uncertain.")
        )
    if unserved:
        return Finding(
            check,
            State.WARNING,
            _("No worker serves it at the moment."),
            _("If that lasts: is a worker of its shard ready?"),
        )
    spool = number(data, "spool_waiting")
    if spool:
        words = ngettext(
            "It keeps %(num)d presence of an outage.", "It keeps %(num)d presences of an outage.", int(spool)
        )
        return Finding(
            check, State.WARNING, words, _("It hands them over by itself. If they stay: does the ledger answer to it?")
        )
    if number(data, "spool_failed"):
        words = _("It couldn’t keep %(count)s presences of an outage.", count=int(number(data, "spool_failed") or 0))
        return Finding(check, State.WARNING, words, _("Is its disk full or read-only?"))
    return Finding(check, State.OK, _("It runs, and its camera gives pictures."))


def _deliverer(seen: Seen) -> Iterator[Finding]:
    check = _("Deliverer")
    overdue = seen.overdue_since_ms is not None and seen.now_ms - seen.overdue_since_ms > OVERDUE_MS
    if not seen.running.deliverers and not seen.told:
        yield Finding(
            check, State.OK, _("None is running, and none is needed: no webhook or connector wants to be told.")
        )
    elif not seen.running.deliverers and seen.running.reachable:
        advice = _("Start it: “attendance up”, or its service. What waits is delivered then.")
        yield Finding(check, State.PROBLEM, _("None is running: webhooks and Frappe HR aren’t told anything."), advice)
    elif overdue:
        advice = _("Look at its log and at the Connections page.")
        yield Finding(check, State.WARNING, _("Deliveries are due for more than five minutes."), advice)
    elif seen.running.deliverers:
        yield Finding(check, State.OK, _("It runs."))


def _liveness(seen: Seen) -> Iterator[Finding]:
    checked = [beat.data.get("liveness") for _shard, beat in seen.running.of_role("worker")]
    if any(one in (None, "not_checked") for one in checked):
        words = _("Not checked: a good photograph held up to a camera may be recorded as that person.")
        yield Finding(
            _("Liveness"), State.WARNING, words, _("Keep kiosks in view of staff, or use a badge or PIN as well.")
        )


CHECKS: tuple[Callable[[Seen], Iterator[Finding]], ...] = (
    _database,
    _live,
    _ledger,
    _recorder,
    _workers,
    _kiosks,
    _deliverer,
    _liveness,
)
