from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keys import new_key, parse_key_ring
from core.sealing import SealBroken, Sealer, bind
from core.signing import new_key_before

OLD = new_key()
NEW = new_key_before(OLD)
SEALER = Sealer(parse_key_ring("K", OLD), "test")


@given(st.binary(), st.lists(st.text(), max_size=3))
def test_what_was_sealed_opens_with_the_same_words(plain: bytes, words: list[str]) -> None:
    assert SEALER.open(SEALER.seal(plain, *words), *words) == plain


def test_the_previous_key_still_opens_and_no_longer_closes() -> None:
    both = Sealer(parse_key_ring("K", f"{NEW},{OLD}"), "test")
    assert both.open(SEALER.seal(b"plain"), *()) == b"plain"
    with pytest.raises(SealBroken):
        SEALER.open(both.seal(b"plain"))


def test_another_purpose_does_not_open_it() -> None:
    with pytest.raises(SealBroken):
        Sealer(parse_key_ring("K", OLD), "other").open(SEALER.seal(b"plain"))


@given(st.data())
def test_any_changed_byte_is_noticed(data: st.DataObject) -> None:
    sealed = bytearray(SEALER.seal(b"plain", "owner"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBroken):
        SEALER.open(bytes(sealed), "owner")


@given(st.lists(st.text(max_size=3), max_size=4), st.lists(st.text(max_size=3), max_size=4))
def test_two_lists_of_words_never_give_the_same_bytes(one: list[str], other: list[str]) -> None:
    assert (bind(*one) == bind(*other)) == (one == other)
