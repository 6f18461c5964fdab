"""Dead letters: what the recorder parks is shown without telling who it is, put back as it came, or dropped."""

import json
import os
from typing import Any

import pytest

from deploy.dead_letters import DeadLetters, NoSuchLetter
from tests.conftest import RedisPair
from tests.deploy.test_cli import call
from worker.protocol import keys
from worker.protocol.entries import Decision, as_any

DEAD, STREAM = keys.dead("s0"), keys.decisions("s0")
SECRET = b"\xff\xd8 Grace Hopper \x1b[2J"
HOSTILE: list[dict[Any, Any]] = [
    {"dead_reason": b"\xff\xfe\x1b[31m[bold]x[/bold]\r\n" + b"r" * 5_000, "meta": b"{", "dead_id": b"\x1b]0;t\x07"},
    {"meta": b'{"event_id": {"name": "Grace Hopper"}, "kiosk": "\\u001b[2J[red]", "employee_name": "Grace Hopper"}'},
    {"meta": b"[" * 100_000},
    {"meta": b'["Grace Hopper"]', "v": b"9"},
    {b"\x00\xff[/]": b"Grace Hopper", "snapshot": SECRET},
    {"dead_id": b"1-1"},
]


@pytest.fixture
def letters(redis_pair: RedisPair, monkeypatch: pytest.MonkeyPatch) -> DeadLetters:
    for name, value in redis_pair.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "200")
    return DeadLetters(redis_pair.ledger, "s0")


def decision() -> dict[str, bytes]:
    return Decision(
        event_id="e" * 32, kiosk="front", presence="p1", outcome="accepted", employee_id="emp-77", captured_ms=1_700_000_000_000,
        good_frames=3, model_id="m", worker="w1", snapshot=SECRET,
    ).to_fields()  # fmt: skip


def park(pair: RedisPair, fields: dict[Any, Any], reason: str = "the reason\nGrace Hopper") -> str:
    """As dashboard/recording/recorder.py does."""
    own = {"dead_id": b"1-1", "dead_reason": reason.encode()}
    return pair.ledger.xadd(DEAD, as_any(own | fields)).decode()  # type: ignore[union-attr]


def test_a_letter_is_told_without_saying_who_it_is(redis_pair: RedisPair, letters: DeadLetters) -> None:
    letter = park(redis_pair, decision())
    for arguments in (["list"], ["list", "--json"], ["show", letter], ["show", letter, "--json"]):
        code, text = call("dead", *arguments)
        assert code == 0
        assert letter in text
        assert "the reason" in text
        assert "front" in text
        assert "e" * 32 in text
        for private in ("Grace", "Hopper", "emp-77", "\x1b"):
            assert private not in text
    assert json.loads(call("dead", "show", letter, "--json")[1])["sizes"]["snapshot"] == len(SECRET)


def test_it_goes_back_as_it_came(redis_pair: RedisPair, letters: DeadLetters) -> None:
    letter, other = park(redis_pair, decision()), park(redis_pair, {"v": b"9", b"\xff": b"\x00"})
    code, text = call("dead", "replay", letter)
    assert (code, text.split()[0]) == (0, "1")
    entries: Any = redis_pair.ledger.xrange(STREAM)
    assert entries[0][1] == {name.encode(): value for name, value in decision().items()}
    assert [one.id for one in letters.all()] == [other]
    assert call("dead", "replay", "--all")[0] == 0
    entries = redis_pair.ledger.xrange(STREAM)
    assert entries[1][1] == {b"v": b"9", b"\xff": b"\x00"}
    assert redis_pair.ledger.xlen(DEAD) == 0


def test_dropping_one_and_all(redis_pair: RedisPair, letters: DeadLetters) -> None:
    ids = [park(redis_pair, {"v": b"1"}) for _ in range(3)]
    assert call("dead", "drop", ids[1])[0] == 0
    assert [one.id for one in letters.all()] == [ids[0], ids[2]]
    assert call("dead", "drop", "--all")[1].startswith("2 deleted")
    assert redis_pair.ledger.xlen(DEAD) == redis_pair.ledger.xlen(STREAM) == 0


def test_more_than_a_page(redis_pair: RedisPair, letters: DeadLetters) -> None:
    ids = [park(redis_pair, {"v": b"1"}) for _ in range(450)]
    assert [one.id for one in letters.all()] == ids


def test_whatever_was_parked_can_be_shown_and_put_back(redis_pair: RedisPair, letters: DeadLetters) -> None:
    ids = [redis_pair.ledger.xadd(DEAD, fields).decode() for fields in HOSTILE]  # type: ignore[union-attr]
    for arguments in (["list"], *(["show", one] for one in ids), *(["show", one, "--json"] for one in ids)):
        code, text = call("dead", *arguments)
        assert code == 0, text
        assert "Grace" not in text
        assert "\x1b" not in text
    assert call("dead", "replay", "--all")[0] == 0
    assert redis_pair.ledger.xlen(DEAD) == 0
    assert redis_pair.ledger.xlen(STREAM) == 5  # the last one held nothing of its own


@pytest.mark.parametrize("letter", ["1-1", "x", "-", "+", "(1-1", "1", "$", "\x1b[2J", "0-0", "9" * 40, ""])
@pytest.mark.parametrize("command", ["show", "replay", "drop"])
def test_an_id_that_is_none(redis_pair: RedisPair, letters: DeadLetters, command: str, letter: str) -> None:
    kept = park(redis_pair, decision())
    code, text = call("dead", command, "--", letter)
    assert code == 2
    assert "no such letter" in text
    assert "\x1b" not in text
    assert [one.id for one in letters.all()] == [kept]
    assert redis_pair.ledger.xlen(STREAM) == 0


def test_neither_id_nor_all_or_both(letters: DeadLetters) -> None:
    for command in ("replay", "drop"):
        assert call("dead", command)[0] == 2
        code, text = call("dead", command, "1-1", "--all")
        assert (code, "--all" in text) == (2, True)


def test_two_who_replay_the_same_put_it_back_once(
    redis_pair: RedisPair, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = park(redis_pair, decision())
    fields, meanwhile = letters._fields, iter([DeadLetters(redis_pair.ledger, "s0")])

    def slow(client: Any, one: str) -> Any:
        found = fields(client, one)
        for other in meanwhile:
            other.replay(letter)
        return found

    monkeypatch.setattr(letters, "_fields", slow)
    with pytest.raises(NoSuchLetter):
        letters.replay(letter)
    assert redis_pair.ledger.xlen(STREAM) == 1


def test_without_a_site_it_says_what_to_start(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "ATTENDANCE_LEDGER_URL" not in os.environ
    for command in (["dead", "list"], ["status"]):
        code, text = call(*command, ATTENDANCE_HOME=str(tmp_path))
        assert code == 2
        assert "attendance up" in text
        code, text = call(*command, ATTENDANCE_REDIS_URL="redis://u:secret@127.0.0.1:1")
        assert code == 2
        assert "secret" not in text
