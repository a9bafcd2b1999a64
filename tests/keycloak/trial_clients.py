"""A realm of Keycloak that gives tokens to programs, for an MCP server behind `archway up`. Run by `make keycloak`.

What npm `oidc-provider` shows in every run of the tests (`tests/oauth_providers/`), with the
provider that many companies have.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.fakes.keycloak_tools import MACHINE, SECRET, SIGNER
from tests.fixtures_system import eventually
from tests.keycloak.notes import Notes

pytestmark = pytest.mark.timeout(900)


async def installed(notes: Notes, method: str, credential: str, client: str = MACHINE) -> dict[str, Any]:
    """An entry for clients that prove themselves so, the organisation's installation of it, and its tool on show."""
    entry = await notes.entry(
        "client_credentials", issuer=notes.realm.issuer, scopes=["notes:read"], client_authentication=method
    )
    wanted = {
        "entry_id": entry["id"], "scope": "organisation", "values": {"client_id": client}, "credential": credential,
    }  # fmt: skip
    return dict(await notes.asked("post", "/installations", wanted))


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_client_with_a_secret_calls_for_everybody_and_gets_its_next_token_by_itself(
    notes: Notes, method: str
) -> None:
    await notes.realm.change(accessTokenLifespan=20)
    made = await installed(notes, method, SECRET)
    assert made["state"] == "ready", made["state_reason"]
    await notes.show()
    ann = await notes.person("Ann")
    await notes.until(ann, "ok")
    first = await notes.claims(ann)
    assert (first["azp"], "notes:read" in first["scope"].split()) == (MACHINE, True)

    async def is_another() -> bool:
        claims = await notes.claims(ann)  # none of the calls fails
        assert claims["exp"] > time.time()
        return bool(claims["jti"] != first["jti"])

    await eventually(is_another, 20, "its next token is used")
    assert await notes.realm.events("CLIENT_LOGIN_ERROR") == []


async def test_a_client_with_a_key_calls_too(notes: Notes, signers_key: EllipticCurvePrivateKey) -> None:
    pem = signers_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    made = await installed(notes, "private_key_jwt", pem, SIGNER)
    assert made["state"] == "ready", made["state_reason"]
    await notes.show()
    ann = await notes.person("Ann")
    await notes.until(ann, "ok")
    assert (await notes.claims(ann))["azp"] == SIGNER


async def test_a_secret_that_was_renewed_there_is_given_again_here(notes: Notes) -> None:
    made = await installed(notes, "client_secret_basic", "the secret of before")
    assert made["state"] == "needs_sign_in"
    assert "has a client that its provider does not take" in made["state_reason"]
    await notes.asked("patch", f"/installations/{made['id']}", {"credential": SECRET})
    assert (await notes.ready(made["id"]))["state"] == "ready"
