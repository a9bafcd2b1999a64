"""A company whose identity provider vouches for its people: a gateway that takes its assertions, a client, and Ann.

    async def test_something(corp):
        answer = await corp.exchange()                   # an assertion that is good, brought by the client
        answer = await corp.exchange(await corp.assertion(aud="https://other.test"))
        reason, cure = await corp.told()                 # what the trace of the last refusal says

The provider is a stand-in that signs what a test wants said; the rest is real.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest

from control.changes import gateways, identity_providers, oauth_clients, users
from control.changes.safeguards import Safeguards
from control.changes.write import changing
from control.identity.id_jag import TYPE
from control.oauth.assertions import GRANT_TYPE
from control.public.deps import PublicDeps
from control.registry.gateway import Gateway
from control.registry.identity_provider import IdentityProvider
from control.registry.oauth_client import ClientFields, OAuthClient
from control.registry.row_seals import RowSeals
from control.registry.user import NewUser
from core.egress.addresses import AddressPolicy, parse_networks
from core.identifiers import new_id
from core.keys import new_key, parse_key_ring
from tests.fakes.issuer import FakeIssuer, rsa_jwk
from tests.fakes.providers import provider_fields
from tests.fakes.registry import gateway_fields
from tests.fixtures_people import ISSUER, NOBODY, People
from tests.oauth.flow import REDIRECT, Answered, Flow, claims_of

SAFEGUARDS = Safeguards(
    RowSeals(parse_key_ring("ARCHWAY_SECRET_KEY", new_key())), AddressPolicy(parse_networks("127.0.0.0/8"))
)
SALES = f"{ISSUER}/v1/mcp/sales"
EMAIL = {"email": "ann@corp.test", "email_verified": True}


@dataclass
class AssertingCorp:
    """The provider, the gateway `sales`, the client, and whom it vouches for."""

    flow: Flow
    idp: FakeIssuer
    provider: IdentityProvider
    gateway: Gateway
    client: OAuthClient
    secret: str
    ann: str

    def assertion(self, key: str = "a", *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """An identity assertion about Ann with these claims over the usual ones; None takes one away."""
        now = int(time.time())
        usual = {
            "aud": ISSUER, "client_id": self.client.client_id, "resource": SALES, "scope": "mcp", "jti": new_id(),
            "iat": now, "exp": now + 300, **EMAIL,
        }  # fmt: skip
        return self.idp.token(key, header={"typ": TYPE, **(header or {})}, **{**usual, **claims})

    async def exchange(self, assertion: str | None = None, **form: Any) -> Answered:
        """What the token endpoint answers the client; a good assertion unless one is given."""
        asked = {
            "grant_type": GRANT_TYPE, "assertion": self.assertion() if assertion is None else assertion,
            "client_id": self.client.client_id, "client_secret": self.secret, **form,
        }  # fmt: skip
        return await self.flow.token(**asked)

    async def token(self, **claims: Any) -> dict[str, Any]:
        """What the access token says that an assertion with these claims is exchanged for."""
        answer = await self.exchange(self.assertion(**claims))
        assert answer.status == 200, answer.body
        return claims_of(answer.json["access_token"])

    async def told(self) -> tuple[str, str]:
        """Why the last step was refused, and what helps, as an admin reads it."""
        (row,) = await self.flow.people.rows("select reason, cure from sign_in_attempts order by id desc limit 1")
        return row["reason"], row["cure"]

    async def change_gateway(self, **fields: Any) -> None:
        async with changing(self.flow.pool, NOBODY) as write:
            self.gateway = await gateways.change(write, self.gateway.id, lambda now: replace(now, **fields))

    async def change_provider(self, **fields: Any) -> None:
        async with changing(self.flow.pool, NOBODY) as write:
            self.provider = await identity_providers.change(
                write, self.provider.id, lambda now: replace(now, **fields), None, SAFEGUARDS
            )

    async def grants(self) -> list[Any]:
        return await self.flow.people.rows("select * from oauth_grants where by_assertion order by created_at")

    async def people(self) -> int:
        """How many users there are."""
        return int((await self.flow.people.rows("select count(*) as n from users"))[0]["n"])


@pytest.fixture
async def corp(people: People, public_deps: PublicDeps) -> AsyncIterator[AssertingCorp]:
    """The company, and a gateway `work` that takes no assertions. Nobody has signed in. The provider's keys, of which
    `weak` is too small, are known.
    """
    async with FakeIssuer() as idp, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as program:
        idp.keys.append(rsa_jwk("weak", 1024))
        flow = Flow(people, program, await people.browser())
        await flow.gateway("work")
        async with changing(flow.pool, NOBODY) as write:
            ann = await users.create(write, NewUser(name="Ann Archer", email="ann@corp.test", role="member"))
            wanted = provider_fields(issuer=idp.issuer, audiences=())
            provider = await identity_providers.create(write, wanted, "secret", SAFEGUARDS)
            naming = gateway_fields(
                slug="sales", name="Sales", identity_provider_id=provider.id, takes_assertions=True
            )
            gateway = await gateways.create(write, naming)
            fields = ClientFields(name="Agent", redirect_uris=(REDIRECT,), auth_method="client_secret_post")
            client, secret = await oauth_clients.create(write, fields)
        _ = await public_deps.key_sets.refresh(provider)
        yield AssertingCorp(flow, idp, provider, gateway, client, secret, ann.id)
