"""The provider of our tests exchanges tokens, and says how it was asked."""

from __future__ import annotations

import base64
import json
from typing import Any

import aiohttp
import pytest

from tests.fakes.identity_provider import AT_SERVER, AT_SERVER_SECRET, EXCHANGER, EXCHANGER_SECRET, IdentityProvider
from tests.fixtures_idp import idp, idp_issuer, upstream_idp, upstream_issuer

__all__ = ["idp", "idp_issuer", "upstream_idp", "upstream_issuer"]

TYPE = "urn:ietf:params:oauth:token-type:"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


async def _asked(
    at: IdentityProvider, client: str = EXCHANGER, secret: str = EXCHANGER_SECRET, **form: str
) -> tuple[int, dict[str, Any]]:
    proof = base64.b64encode(f"{client}:{secret.replace(' ', '+')}".encode()).decode()
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{at.issuer}/token", data=form, headers={"authorization": f"Basic {proof}"}) as answer,
    ):
        return answer.status, json.loads(await answer.read() or b"{}")


async def _exchanged(idp: IdentityProvider, kind: str = "access_token", **form: str) -> tuple[int, dict[str, Any]]:
    kept = await idp.signed_in("ann")
    given = {"grant_type": EXCHANGE, "subject_token": kept[kind], "subject_token_type": TYPE + kind}
    return await _asked(idp, **{**given, **form})


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "==")))


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
async def test_either_token_of_a_sign_in_is_exchanged(idp: IdentityProvider, kind: str) -> None:
    status, answer = await _exchanged(idp, kind, audience="https://crm.test", scope="read")
    assert status == 200, answer
    claims = _claims(answer["access_token"])
    assert (claims["sub"], claims["aud"], claims["scope"]) == ("ann", "https://crm.test", "read")
    (asked,) = await idp.exchanged()
    assert (asked["client"], asked["audience"], asked["answer"]) == (EXCHANGER, "https://crm.test", "200")
    assert "subject_token" not in asked


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"refuses_scope": True}, "invalid_scope"),
        ({"audiences": ["https://erp.test"]}, "invalid_target"),
        ({"clients": []}, "unauthorized_client"),
        ({"takes": ["id_token"]}, "invalid_request"),
        ({"refuses": "interaction_required"}, "interaction_required"),
    ],
    ids=str,
)
async def test_it_refuses_as_it_was_told(idp: IdentityProvider, how: dict[str, Any], error: str) -> None:
    await idp.exchanges(**how)
    status, answer = await _exchanged(idp, audience="https://crm.test", scope="read")
    assert (status, answer["error"]) == (400, error)


async def test_an_assertion_is_taken_by_a_servers_own_authorization_server(
    idp: IdentityProvider, upstream_idp: IdentityProvider
) -> None:
    await idp.exchanges(client_ids={upstream_idp.issuer: AT_SERVER})
    await upstream_idp.trust(idp.issuer)
    wanted = {
        "requested_token_type": TYPE + "id-jag",
        "audience": upstream_idp.issuer,
        "resource": "https://crm.test/mcp",
    }
    status, answer = await _exchanged(idp, "id_token", **wanted)
    assert (status, answer["token_type"]) == (200, "N_A"), answer
    form = {"grant_type": BEARER, "assertion": answer["access_token"]}
    status, token = await _asked(upstream_idp, AT_SERVER, AT_SERVER_SECRET, **form)
    assert status == 200, token
    claims = _claims(token["access_token"])
    assert (claims["sub"], claims["aud"]) == (f"ann@{idp.issuer}", "https://crm.test/mcp")
