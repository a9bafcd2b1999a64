from __future__ import annotations

from typing import Any

import pytest

from control.identity.jwks import keys_in
from control.providers.asking import ProviderAway
from core.jwk import ASYMMETRIC
from tests.fakes.issuer import ec_jwk, rsa_jwk

GOOD = rsa_jwk("good")
UNFIT: dict[str, dict[str, Any]] = {
    "RSA < 2048": rsa_jwk("small", 1024),
    "use: enc": rsa_jwk("b", use="enc"),
    "wrong kty": rsa_jwk("b", kty="EC"),
    "private key in JWKS": rsa_jwk("b", d="AQAB"),
    "duplicate kid": rsa_jwk("b", kid="good"),
}


@pytest.mark.parametrize("unfit", [pytest.param(jwk, id=f"A-4: {name}") for name, jwk in UNFIT.items()])
def test_a_key_that_is_unfit_is_left_out_and_said(unfit: dict[str, Any]) -> None:
    found = keys_in({"keys": [GOOD, unfit]}, ASYMMETRIC)
    assert [key.n for key in found.keys] == [GOOD["n"]]
    assert len(found.skipped) == 1
    assert unfit["n"][:20] not in found.skipped[0]


def test_keys_of_every_type_are_kept_with_their_public_members_alone() -> None:
    found = keys_in({"keys": [rsa_jwk("a", x5c=["MII..."]), ec_jwk("e")]}, ASYMMETRIC)
    assert [set(key.jwk) for key in found.keys] == [{"kty", "kid", "n", "e"}, {"kty", "kid", "crv", "x", "y"}]
    assert not found.skipped


@pytest.mark.parametrize(
    "answer",
    [{}, {"keys": {}}, {"keys": []}, {"keys": [UNFIT["use: enc"]]}, {"keys": [1, None, "x"]}],
    ids=["no keys", "not a list", "none", "none that is fit", "no objects"],
)
def test_an_answer_without_a_key_that_can_be_used_is_refused_whole(answer: dict[str, Any]) -> None:
    with pytest.raises(ProviderAway):
        keys_in(answer, ASYMMETRIC)


def test_keys_for_algorithms_that_are_not_allowed_are_left_out() -> None:
    found = keys_in({"keys": [GOOD, ec_jwk("e")]}, ("ES256",))
    assert [key.kid for key in found.keys] == ["e"]
