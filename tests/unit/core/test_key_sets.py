from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core import key_sets
from core.jwk import ASYMMETRIC, MOST_KEYS
from core.key_sets import (
    FORMAT,
    KeySet,
    KeySetAnswer,
    KeySetBroken,
    KeySetQuestion,
    PublicKey,
    open_key_set,
    sign_key_set,
)
from core.keys import new_key, parse_key_ring
from core.signing import Signer, Verifier

SIGNER = Signer(parse_key_ring("K", new_key()))
VERIFIER = Verifier("V", SIGNER.public_keys)
ISSUER = "https://idp.test"
RSA = PublicKey("RSA", kid="r", n="nn", e="AQAB")
EC = PublicKey("EC", kid="e", crv="P-256", x="xx", y="yy")
ED = PublicKey("OKP", kid="d", crv="Ed25519", x="xx")


def a_key_set(**changed: Any) -> KeySet:
    whole = KeySet(
        FORMAT, ISSUER, "provider", [RSA, EC, ED], ["RS256", "ES256", "EdDSA"], 1, 1000.0, 2000.0, provider_id="p1"
    )
    return msgspec.structs.replace(whole, **changed)


def test_a_key_set_comes_back_whole() -> None:
    assert open_key_set(sign_key_set(a_key_set(), SIGNER), ISSUER, VERIFIER) == a_key_set()


def test_a_key_set_is_read_for_its_own_issuer_alone() -> None:
    with pytest.raises(KeySetBroken):
        open_key_set(sign_key_set(a_key_set(), SIGNER), "https://other.test", VERIFIER)


def test_a_key_set_that_nobody_signed_is_refused() -> None:
    forged = sign_key_set(a_key_set(), Signer(parse_key_ring("K", new_key())))
    with pytest.raises(KeySetBroken):
        open_key_set(forged, ISSUER, VERIFIER)


@pytest.mark.parametrize(
    "key_set",
    [
        a_key_set(format=FORMAT + 1),
        a_key_set(keys=[RSA, msgspec.structs.replace(EC, kid="r")]),
        a_key_set(keys=[msgspec.structs.replace(RSA, kid=str(number)) for number in range(MOST_KEYS + 1)]),
        a_key_set(kind="cousin"),
        a_key_set(algorithms=["HS256"]),
        a_key_set(algorithms=["none"]),
    ],
    ids=["of a later format", "two keys of one name", "too many keys", "of no kind", "HS256", "none"],
)
def test_what_cannot_be_relied_on_is_refused_whole(key_set: KeySet) -> None:
    with pytest.raises(KeySetBroken):
        open_key_set(sign_key_set(key_set, SIGNER), ISSUER, VERIFIER)


def test_a_document_above_the_limit_is_not_even_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_sets, "MAX_BYTES", 10)
    with pytest.raises(KeySetBroken, match="larger than"):
        open_key_set(sign_key_set(a_key_set(), SIGNER), ISSUER, VERIFIER)


@pytest.mark.parametrize(
    ("key", "fitting"),
    [
        (RSA, {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        (msgspec.structs.replace(RSA, alg="RS256"), {"RS256"}),
        (EC, {"ES256"}),
        (msgspec.structs.replace(EC, crv="P-384"), {"ES384"}),
        (msgspec.structs.replace(EC, crv="P-521"), {"ES512"}),
        (ED, {"EdDSA"}),
    ],
    ids=["RSA", "RSA for one algorithm", "P-256", "P-384", "P-521", "Ed25519"],
)
def test_a_key_fits_the_algorithms_of_its_type_and_curve_and_no_other(key: PublicKey, fitting: set[str]) -> None:
    asked = {*ASYMMETRIC, "HS256", "none", "None", ""}
    assert {algorithm for algorithm in asked if key.fits(algorithm)} == fitting


@pytest.mark.parametrize(
    ("kid", "algorithm", "found"),
    [
        ("r", "RS256", RSA),
        ("r", "ES256", None),
        ("r", "PS256", None),
        ("x", "RS256", None),
        ("", "RS256", RSA),
        ("r" * 257, "RS256", None),
    ],
    ids=["its own", "of another type", "not of the set", "another name", "no name", "a name that is too long"],
)
def test_a_token_is_checked_with_the_key_that_it_names(kid: str, algorithm: str, found: PublicKey | None) -> None:
    assert a_key_set().key_for(kid, algorithm) == found


def test_a_token_that_names_no_key_has_none_where_two_would_fit() -> None:
    two = a_key_set(keys=[RSA, msgspec.structs.replace(RSA, kid="r2")])
    assert two.key_for("", "RS256") is None


def test_a_key_is_written_with_the_members_that_it_has() -> None:
    assert EC.jwk == {"kty": "EC", "kid": "e", "crv": "P-256", "x": "xx", "y": "yy"}


def test_a_question_names_an_issuer_and_perhaps_a_key() -> None:
    packed = msgspec.msgpack.encode(KeySetQuestion(ISSUER, "k9"))
    assert msgspec.msgpack.decode(packed, type=KeySetQuestion) == KeySetQuestion(ISSUER, "k9")
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode(KeySetQuestion("i" * 513)), type=KeySetQuestion)


def test_an_answer_without_a_document_says_that_there_is_no_such_issuer() -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(KeySetAnswer()), type=KeySetAnswer).document == b""
