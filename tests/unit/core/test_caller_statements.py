"""Statements about callers: what servers check of them, and that they are no access tokens, nor these statements."""

from __future__ import annotations

import json
import time
from itertools import pairwise

import jwt
import pytest

from core.caller_statements import LIFE_S, SAME_FOR_S, TYPE, StatementSigner
from core.jwt import AccessToken, AccessTokenSigner, TokenRefused, verify
from core.keys import KeyRing, new_key, parse_key_ring

ISSUER, ORIGIN = "https://archway.test", "https://crm.test"
RING = parse_key_ring("K", new_key())
SIGNER = StatementSigner(RING, ISSUER)
CLAIMS = {"sub": "user:1", "aud": ORIGIN, "teams": ("Sales",)}


def checked(statement: str, signer: StatementSigner = SIGNER, audience: str = ORIGIN) -> dict[str, object]:
    """As a server does it, with the published keys."""
    keys = jwt.PyJWKSet.from_json(json.dumps({"keys": list(signer.public_keys)}))
    kid = jwt.get_unverified_header(statement)["kid"]
    key = next(one for one in keys.keys if one.key_id == kid)
    claims: dict[str, object] = jwt.decode(statement, key, algorithms=["EdDSA"], audience=audience, issuer=ISSUER)
    return claims


def test_a_server_reads_what_is_said_with_the_published_key() -> None:
    now = time.time()
    statement, ends = SIGNER.statement(CLAIMS, now)
    claims = checked(statement)
    assert jwt.get_unverified_header(statement)["typ"] == TYPE
    assert (claims["sub"], claims["teams"], claims["iss"], claims["exp"]) == ("user:1", ["Sales"], ISSUER, ends)
    assert int(str(claims["exp"])) - int(str(claims["iat"])) == LIFE_S
    with pytest.raises(jwt.InvalidAudienceError):
        checked(statement, audience="https://other.test")


@pytest.mark.parametrize("now", [1_000_000, 1_000_007.5, 1_000_024.9])
def test_more_than_half_of_its_life_is_left_whenever_it_is_given(now: float) -> None:
    _, ends = SIGNER.statement(CLAIMS, now)
    assert LIFE_S / 2 < ends - now <= LIFE_S


def test_the_same_is_said_in_the_same_words_for_less_than_half_of_its_life() -> None:
    given = [SIGNER.statement(CLAIMS, 1_000_000 + second)[0] for second in range(2 * LIFE_S)]
    changes = [second for second in range(1, len(given)) if given[second] != given[second - 1]]
    assert {after - before for before, after in pairwise(changes)} == {SAME_FOR_S}
    assert SAME_FOR_S < LIFE_S / 2


def test_what_differs_is_another_statement_and_not_all_change_at_once() -> None:
    ends = [SIGNER.statement({**CLAIMS, "sub": f"user:{n}"}, 1e6)[1] for n in range(50)]
    assert len({one % SAME_FOR_S for one in ends}) > 5
    assert SIGNER.statement(CLAIMS, 1e6)[0] != SIGNER.statement({**CLAIMS, "email": "a@b.test"}, 1e6)[0]


def test_the_previous_key_checks_what_it_signed_after_a_rotation() -> None:
    statement, _ = SIGNER.statement(CLAIMS, time.time())
    rotated = StatementSigner(KeyRing((parse_key_ring("K", new_key()).current, RING.current)), ISSUER)
    assert checked(statement, rotated)["sub"] == "user:1"
    assert checked(rotated.statement(CLAIMS, time.time())[0], rotated)["sub"] == "user:1"


@pytest.mark.parametrize("audience", [pytest.param(f"{ISSUER}/v1/mcp/sales", id="A-6: a statement at a gateway")])
def test_a_statement_is_no_access_token_though_it_says_the_gateway_s_audience(audience: str) -> None:
    ours, now = AccessTokenSigner(RING, ISSUER), time.time()
    statement, _ = SIGNER.statement({**CLAIMS, "aud": audience}, now)
    with pytest.raises(TokenRefused) as refused:
        verify(statement, ours, audience, now)
    assert refused.value.why == "type"
    # Nor would it be one if somebody left the type out of what is looked at: its key is another.
    assert ours.key_for(jwt.get_unverified_header(statement)["kid"], "EdDSA") is None


@pytest.mark.parametrize("audience", [pytest.param(ORIGIN, id="A-6: an access token at a server")])
def test_an_access_token_is_no_statement_though_it_says_the_server_s_audience(audience: str) -> None:
    now = int(time.time())
    token = AccessToken(
        id="1", subject="user:1", audience=audience, client_id="c", grant_id="g", scope="mcp", issued_at=now,
        expires=now + 60,
    )  # fmt: skip
    signed = AccessTokenSigner(RING, ISSUER).sign(token)
    with pytest.raises(StopIteration):
        checked(signed)
    assert jwt.get_unverified_header(signed)["typ"] != TYPE
