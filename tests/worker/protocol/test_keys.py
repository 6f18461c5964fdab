import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.protocol import keys

PER_KIOSK = [keys.frames, keys.feedback, keys.lease, keys.backlog, keys.kiosk_events]


@pytest.mark.parametrize("name", ["a", "front-door", "0", "-", "x" * 32])
def test_good_kiosk_names_pass(name: str) -> None:
    assert keys.check_kiosk_name(name) == name
    assert keys.frames("s0", name) == f"frames:{{s0}}:{name}"


@pytest.mark.parametrize("name", ["", "Front", "a b", "a:b", "a*", "{s1}", "x" * 33, "door\n", "tür", "a\x00", "../a"])
@pytest.mark.parametrize("key", PER_KIOSK)
def test_bad_kiosk_names_never_become_a_key(key, name: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"kiosk name .* use 1-32"):
        key("s0", name)


@pytest.mark.parametrize("name", ["", "S0", "s0}", "x" * 17, "s0\n"])
def test_bad_shards_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="use 1-16"):
        keys.check_shard_name(name)


@given(st.text(max_size=40))
def test_a_name_is_either_returned_or_refused(name: str) -> None:
    try:
        assert keys.check_kiosk_name(name) == name
    except ValueError:
        assert not keys.KIOSK_NAME.fullmatch(name)


def test_every_key_carries_its_shard_as_the_only_hash_tag() -> None:
    made = [key("s7", "door") for key in PER_KIOSK]
    made += [key("s7") for key in (keys.kiosks, keys.requests, keys.events, keys.decisions, keys.dead)]
    made += [keys.gallery_log("s7"), keys.publisher("s7"), keys.reply("s7", "r"), keys.gallery("s7", "m")]
    made.append(keys.heartbeat("s7", "kiosk", "door"))
    assert all(name.count("{s7}") == 1 for name in made)
    assert len(set(made)) == len(made)
