from __future__ import annotations

import base64

import msgspec
import pytest

from core.keys import new_key, parse_key_ring
from core.sealing import SealBroken
from proxy.sessions.sealed_text import close_text, open_text

RING = parse_key_ring("proxy", new_key())
MINE = ("gateway", "user:ann")


class Kept(msgspec.Struct, array_like=True):
    number: int


def opened(text: object, *, purpose: str = "p", bound: tuple[str, ...] = MINE, longest: int = 200) -> Kept:
    return open_text(RING, purpose, text, Kept, bound, longest)


def test_a_value_comes_back_as_it_was_given() -> None:
    text = close_text(RING, "p", Kept(7), MINE)
    assert text.isascii()
    assert opened(text) == Kept(7)


def test_it_opens_for_no_other_purpose_and_for_nobody_else() -> None:
    text = close_text(RING, "p", Kept(7), MINE)
    for other in ({"purpose": "q"}, {"bound": ("gateway", "user:bob")}, {"bound": ("gatewayuser", ":ann")}):
        with pytest.raises(SealBroken):
            opened(text, **other)  # type: ignore[arg-type]  # of one of them each


def test_no_bit_of_it_can_be_changed() -> None:
    sealed = base64.urlsafe_b64decode(close_text(RING, "p", Kept(7), MINE))
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(SealBroken):
            opened(base64.urlsafe_b64encode(changed).decode())


@pytest.mark.parametrize("text", [None, 3, "", "x", "é", "AAAA", "A" * 201])
def test_what_is_none_of_ours_is_refused(text: object) -> None:
    with pytest.raises(SealBroken):
        opened(text)


def test_a_value_of_another_kind_is_refused() -> None:
    with pytest.raises(SealBroken):
        opened(close_text(RING, "p", ["seven"], MINE))
