from __future__ import annotations

import msgspec
import pytest

from core.changes import Change, ChangeBroken, open_change, sign_change
from core.keys import new_key, parse_key_ring
from core.signing import Signer, Verifier

SIGNER = Signer(parse_key_ring("K", new_key()))
VERIFIER = Verifier("V", SIGNER.public_keys)
CHANGE = Change("e1", 7, "gateway", "g1", 3)


def test_an_event_comes_back() -> None:
    assert open_change(sign_change(CHANGE, SIGNER), "e1", VERIFIER) == CHANGE


def test_an_event_of_another_epoch_is_refused() -> None:
    with pytest.raises(ChangeBroken):
        open_change(sign_change(CHANGE, SIGNER), "e2", VERIFIER)
    lying = SIGNER.sign(msgspec.msgpack.encode(CHANGE), "change", "e2")
    with pytest.raises(ChangeBroken):
        open_change(lying, "e2", VERIFIER)


@pytest.mark.parametrize(
    "body", [b"", b"garbage", SIGNER.sign(b"\xc1", "change", "e1")], ids=["empty", "garbage", "signed garbage"]
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(ChangeBroken):
        open_change(body, "e1", VERIFIER)


def test_an_event_of_a_strange_kind_is_refused() -> None:
    strange = {"epoch": "e1", "number": 1, "kind": "everything", "name": "x"}
    with pytest.raises(ChangeBroken):
        open_change(SIGNER.sign(msgspec.msgpack.encode(strange), "change", "e1"), "e1", VERIFIER)
