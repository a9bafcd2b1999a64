"""Row X-5: authenticated encryption of what leaves our memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keys import new_key, parse_key_ring
from core.sealing import SealBroken, Sealer
from core.signing import new_key_before

SEALER = Sealer(parse_key_ring("K", new_key()), "test")
KEY_ID, NONCE = slice(0, 1), slice(1, 13)


@pytest.mark.parametrize("owner", [pytest.param("user:2", id="X-5: swapped owner")])
def test_a_sealed_value_opens_for_its_owner_alone(owner: str) -> None:
    sealed = SEALER.seal(b"credential", "connection", "user:1")
    assert SEALER.open(sealed, "connection", "user:1") == b"credential"
    for words in (("connection", owner), ("connectionuser:1",), ("user:1", "connection"), ("connection",), ()):
        with pytest.raises(SealBroken):
            SEALER.open(sealed, *words)


@pytest.mark.parametrize("plain", [pytest.param(b"credential", id="X-5: truncated")])
def test_a_sealed_value_cut_anywhere_is_refused(plain: bytes) -> None:
    sealed = SEALER.seal(plain, "owner")
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            SEALER.open(sealed[:length], "owner")
        with pytest.raises(SealBroken):
            SEALER.open(sealed[length + 1 :], "owner")


@pytest.mark.parametrize("plain", [pytest.param(b"credential", id="X-5: other key id")])
def test_a_sealed_value_under_another_key_s_name_is_refused(plain: bytes) -> None:
    previous = new_key()
    ring = parse_key_ring("K", f"{new_key_before(previous)},{previous}")
    both = Sealer(ring, "test")
    sealed = both.seal(plain)
    assert sealed[KEY_ID] == bytes((ring.keys[0].id,))
    for key_id in {*range(256)} - {ring.keys[0].id}:  # the other key of the ring among them
        with pytest.raises(SealBroken):
            both.open(bytes((key_id,)) + sealed[1:])


@pytest.mark.parametrize("many", [pytest.param(20_000, id="X-5: nonce reuse")])
def test_no_nonce_is_used_twice(many: int) -> None:
    sealed = [SEALER.seal(b"the same", "owner") for _ in range(many)]
    assert len({one[NONCE] for one in sealed}) == many
    assert len({one[NONCE][:4] for one in sealed}) > many * 0.99  # random through and through, no counter in front
    assert len(sealed[0][NONCE]) == 12


@given(st.binary(max_size=64), st.text(max_size=8), st.text(max_size=8))
def test_whatever_the_words_only_the_same_open_it(plain: bytes, owner: str, other: str) -> None:
    sealed = SEALER.seal(plain, owner)
    if owner == other:
        assert SEALER.open(sealed, other) == plain
        return
    with pytest.raises(SealBroken):
        SEALER.open(sealed, other)
