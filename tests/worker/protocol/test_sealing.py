"""Sealed to the site's public key: only the private one opens it, and every change is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.protocol.sealing import BadSeal, check_key, key_id, new_key_pair, public_of, seal, unseal

PUBLIC, PRIVATE = new_key_pair()


@given(st.binary(max_size=2_000))
def test_what_is_sealed_is_opened_by_the_private_key(data: bytes) -> None:
    assert unseal(seal(data, PUBLIC), PRIVATE) == data


def test_the_public_key_opens_nothing_and_the_text_is_nowhere_in_it() -> None:
    sealed = seal(b"a face" * 20, PUBLIC)
    assert b"a face" not in sealed
    with pytest.raises(BadSeal, match="another key"):
        unseal(sealed, PUBLIC)
    with pytest.raises(BadSeal):
        unseal(sealed, new_key_pair()[1])
    assert seal(b"a face" * 20, PUBLIC) != sealed


@given(st.integers(0, 200), st.integers(1, 255))
def test_every_change_is_noticed(at: int, change: int) -> None:
    sealed = bytearray(seal(b"x" * 200, PUBLIC))
    sealed[at] ^= change
    with pytest.raises(BadSeal):
        unseal(bytes(sealed), PRIVATE)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_clear_error(data: bytes) -> None:
    with pytest.raises(BadSeal, match=f"{len(data)} sealed bytes"):
        unseal(data, PRIVATE)


@pytest.mark.parametrize("text", ["", "ab", "A" * 64, "g" * 64, "a" * 65, "a" * 63 + "\n"])
def test_what_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="64 hex digits") as caught:
        check_key(text)
    assert len(text) < 3 or text not in str(caught.value)


def test_pairs_differ_and_know_each_other() -> None:
    assert public_of(PRIVATE) == PUBLIC
    assert new_key_pair() != (PUBLIC, PRIVATE)
    assert len(key_id(PUBLIC)) == 16
    assert key_id(PUBLIC) != key_id(new_key_pair()[0])
