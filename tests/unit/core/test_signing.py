from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import signing
from core.keys import BadKey, new_key, parse_key_ring
from core.signing import SignatureBroken, Signer, Verifier, new_key_before
from tests.fakes.keys import shares_its_identifier, shares_its_public_identifier

OLD = new_key()
NEW = new_key_before(OLD)
SIGNER = Signer(parse_key_ring("K", OLD))
VERIFIER = Verifier("V", SIGNER.public_keys)


def test_what_was_signed_is_believed_for_its_kind_and_name() -> None:
    assert VERIFIER.verify(SIGNER.sign(b"payload", "gateway", "g1"), "gateway", "g1") == b"payload"
    for words in (("gateway", "g2"), ("index", "g1"), ("gatewayg1",), ()):
        with pytest.raises(SignatureBroken):
            VERIFIER.verify(SIGNER.sign(b"payload", "gateway", "g1"), *words)


@given(st.data())
def test_any_changed_byte_is_noticed(data: st.DataObject) -> None:
    signed = bytearray(SIGNER.sign(b"payload", "kind"))
    signed[data.draw(st.integers(0, len(signed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SignatureBroken):
        VERIFIER.verify(bytes(signed), "kind")


@given(st.binary(max_size=80))
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(SignatureBroken):
        VERIFIER.verify(garbage, "kind")


def test_while_keys_change_both_are_believed_and_the_current_one_signs() -> None:
    both = Signer(parse_key_ring("K", f"{NEW},{OLD}"))
    after = Verifier("V", both.public_keys)
    assert after.verify(SIGNER.sign(b"old", "kind"), "kind") == b"old"
    assert after.verify(both.sign(b"new", "kind"), "kind") == b"new"
    with pytest.raises(SignatureBroken):
        VERIFIER.verify(both.sign(b"new", "kind"), "kind")


def test_public_keys_hold_no_secret() -> None:
    assert OLD not in SIGNER.public_keys
    with pytest.raises(SignatureBroken):
        Verifier("V", OLD).verify(SIGNER.sign(b"payload", "kind"), "kind")


def test_a_verify_key_given_twice_is_refused_by_name() -> None:
    with pytest.raises(BadKey, match="ARCHWAY_VERIFY_KEYS"):
        Verifier("ARCHWAY_VERIFY_KEYS", f"{SIGNER.public_keys},{SIGNER.public_keys}")


def test_two_signing_keys_whose_public_halves_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(BadKey, match="ARCHWAY_SIGNING_KEY: the public halves share an identifier"):
        Signer(parse_key_ring("K", f"{shares_its_public_identifier(OLD)},{OLD}"))


@pytest.mark.parametrize("unfit", [shares_its_identifier, shares_its_public_identifier])
def test_a_new_key_fits_before_every_key_that_it_is_made_beside(
    unfit: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter([unfit(OLD), unfit(NEW), OLD, fit := new_key_before(OLD, NEW)])
    monkeypatch.setattr(signing, "new_key", lambda: next(drawn))

    assert new_key_before(NEW, OLD) == fit


def test_a_new_key_is_not_made_beside_what_is_no_key() -> None:
    with pytest.raises(BadKey, match="the previous key is not base64url"):
        new_key_before("no key!")
