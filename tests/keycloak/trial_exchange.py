"""A realm of Keycloak that exchanges tokens (RFC 8693): asked as Archway asks it for somebody who calls.

What else there is to it is shown with another provider (`tests/control/test_exchanged_tokens.py`). Run by `make
keycloak`; the settings are those of docs/administering/credentials/token-exchange.md.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from control.credentials.upstream_oauth.client import TokenPlace, UpstreamClient
from control.credentials.upstream_oauth.token_answer import Away, Granted, Refused
from control.credentials.upstream_oauth.token_request import granted
from control.exchanges.at_provider import EXCHANGED, exchange_form
from control.exchanges.subject import Subject
from control.providers.asking import Asker
from control.registry.credential import TokenExchange
from control.registry.identity_provider import Exchange
from core.egress.client import Egress
from tests.fakes.answering import LOOPBACK
from tests.fakes.keycloak_admin import KeycloakAdmin, mapper, person
from tests.fakes.providers import a_provider

pytestmark = pytest.mark.timeout(900)
PASSWORD, SECRET = "the password of Ann", "the-secret-of-archway"
EXCHANGES = {"standard.token.exchange.enabled": "true"}


class Realm:
    """The realm `exchanging`: people sign in with the client `archway`, which exchanges what they get for `crm`."""

    def __init__(self, url: str, http: aiohttp.ClientSession, egress: Egress) -> None:
        self.issuer, self._http = f"{url}/realms/exchanging", http
        self._admin, self._asker = KeycloakAdmin(url, http), Asker(egress, LOOPBACK)
        self.endpoint = f"{self.issuer}/protocol/openid-connect/token"

    async def set_up(self) -> None:
        """As the page has it."""
        await self._admin.answers()
        await self._admin.new_realm("exchanging")
        await self._admin.ask("POST", "/exchanging/users", person("Ann", PASSWORD))
        for name, attributes in (("crm", {}), ("archway", EXCHANGES), ("another", {})):
            audiences = [
                mapper(f"for-{one}", "oidc-audience-mapper", {"included.client.audience": one})
                for one in (("archway", "crm") if name == "archway" else ())
            ]
            await self._admin.ask("POST", "/exchanging/clients", {
                "clientId": name, "secret": SECRET, "enabled": True, "directAccessGrantsEnabled": True,
                "attributes": attributes, "protocolMappers": audiences,
            })  # fmt: skip

    async def signed_in(self) -> str:
        """Ann's access token, as `archway` gets it."""
        form = {
            "grant_type": "password", "client_id": "archway", "client_secret": SECRET, "username": "ann",
            "password": PASSWORD, "scope": "openid",
        }  # fmt: skip
        async with self._http.post(self.endpoint, data=form) as answer:
            assert answer.status == 200, await answer.text()
            return str((await answer.json())["access_token"])

    async def exchanged(self, token: str, client: str = "archway", **settings: Any) -> Granted | Refused | Away:
        """What it says to the question that a call leads to."""
        provider = a_provider(issuer=self.issuer, exchange=Exchange(enabled=True))
        credential = TokenExchange(provider.id, **{"audience": "crm", **settings})
        form = exchange_form(provider, credential, "", Subject("access_token", token))
        asked_as = UpstreamClient(
            issuer=self.issuer, client_id=client, client_secret=SECRET, authentication="client_secret_basic"
        )
        return await granted(
            self._asker, TokenPlace(endpoint=self.endpoint, client=asked_as), form, time.time(), EXCHANGED
        )


@pytest.fixture
async def realm(keycloak_url: str) -> AsyncIterator[Realm]:
    async with aiohttp.ClientSession() as http, Egress(LOOPBACK) as egress:
        made = Realm(keycloak_url, http, egress)
        await made.set_up()
        yield made


def claims(token: str) -> dict[str, Any]:
    """What it says, unchecked."""
    body = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


async def test_what_a_person_got_at_the_sign_in_is_exchanged_for_a_token_of_theirs_for_the_server(
    realm: Realm,
) -> None:
    before = await realm.signed_in()
    found = await realm.exchanged(before)
    assert isinstance(found, Granted), found
    after = claims(found.access_token)
    assert (after["sub"], after["aud"], after["azp"]) == (claims(before)["sub"], "crm", "archway")
    assert found.expires_at > time.time()


@pytest.mark.parametrize(
    ("client", "settings", "error"),
    [
        ("another", {}, {"access_denied", "invalid_request", "unauthorized_client"}),
        ("archway", {"audience": "nowhere"}, {"invalid_client", "invalid_request"}),
        ("archway", {"scopes": ("nothing",)}, {"invalid_scope"}),
    ],
    ids=["a client that may not", "an audience that is none", "a scope that is none"],
)
async def test_what_it_refuses_it_refuses_for_good(
    realm: Realm, client: str, settings: dict[str, Any], error: set[str]
) -> None:
    found = await realm.exchanged(await realm.signed_in(), client, **settings)
    assert isinstance(found, Refused), found
    assert found.error in error, found


async def test_a_token_that_is_none_is_said_to_be_no_good(realm: Realm) -> None:
    found = await realm.exchanged("none")
    assert isinstance(found, Refused), found
    assert found.error in {"invalid_request", "invalid_token", "invalid_grant"}, found
