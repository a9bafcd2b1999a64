"""Exchanges of tokens on a real PostgreSQL at a real provider, with a clock of the test.

async with exchanging(pool, idp) as rig:
    await rig.entry(TokenExchange(rig.provider.id, audience="crm"))
    given = await rig.token(rig.person("ann"))
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from control.changes import entries, identities, identity_providers
from control.changes.installations import WantedInstallation, create
from control.changes.safeguards import Safeguards
from control.changes.write import changing
from control.credentials.calling import Calling
from control.credentials.for_caller import ForCaller
from control.credentials.whose import CallerKind
from control.exchanges.exchanges import Exchanges
from control.exchanges.one_exchange import OneExchange
from control.identity.kept_state import NotKept, Wanted
from control.identity.key_sets import KeySets
from control.identity.token_endpoint import ProviderTokens
from control.providers.asking import Asker
from control.registry.credential import IdentityAssertion, TokenExchange
from control.registry.entry import Entry
from control.registry.identity_provider import Exchange, IdentityProvider
from control.registry.installation import Installation
from control.registry.row_seals import RowSeals
from control.store.pool import Pool, transaction
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.keys import new_key, parse_key_ring
from core.resolve import InstallationRefusal, JwtProof, Principal, TokenProof
from core.signing import Signer
from tests.fakes.identity_provider import (
    AT_SERVER,
    AT_SERVER_SECRET,
    CLIENT_SECRET,
    EXCHANGER,
    EXCHANGER_SECRET,
    POSTER_SECRET,
)
from tests.fakes.identity_provider import IdentityProvider as Idp
from tests.fakes.providers import a_person, provider_fields
from tests.fakes.registry import a_wanted_entry
from tests.unit.control.changes.acting import ADMIN

LOOPBACK = AddressPolicy(parse_networks("127.0.0.0/8"))
SEALS = RowSeals(parse_key_ring("S", new_key()))
SAFEGUARDS = Safeguards(SEALS, LOOPBACK)
SERVER = "https://crm.test/mcp"
EXCHANGE = Exchange(enabled=True, client_id=EXCHANGER)


class SignedIn:
    """What the provider gave at people's own sign-ins: real tokens of it, newer ones where they are wanted."""

    def __init__(self, idp: Idp) -> None:
        self._idp = idp
        self.people: dict[str, str] = {}
        """User to the name by which the provider knows them."""
        self.missing: NotKept | None = None
        self.given: dict[str, list[ProviderTokens]] = {}

    async def living(
        self,
        user_id: str,
        _provider_id: str,
        *,
        newer_than: float = 0.0,
        within: float = 0.0,
        wants: Wanted = "access_token",
    ) -> ProviderTokens | NotKept:
        """The latest, or another where that is refused somewhere."""
        assert within > 0
        assert wants in {"access_token", "id_token"}
        if self.missing is not None or user_id not in self.people:
            return self.missing or NotKept("never_signed_in", "Sign in to Archway with Corp, then try again.")
        given = self.given.setdefault(user_id, [])
        if not given or newer_than:
            answer = await self._idp.signed_in(self.people[user_id])
            given.append(ProviderTokens(answer["access_token"], answer["id_token"], answer["refresh_token"]))
        return given[-1]


class Exchanging:
    """The rig: one provider, one entry with an installation, and who exchanges."""

    def __init__(self, pool: Pool, idp: Idp, egress: Egress, provider: IdentityProvider) -> None:
        self.pool, self.idp, self.provider = pool, idp, provider
        self.ahead = 0.0
        self.asker = Asker(egress, LOOPBACK)
        self.sign_ins = SignedIn(idp)
        self.key_sets = KeySets(pool, self.asker, Signer(parse_key_ring("K", new_key())))
        self.one = OneExchange(self.asker, SEALS, self.key_sets, self.sign_ins, self.clock)
        self.exchanges = Exchanges(pool, self.one, clock=self.clock, luck=lambda: 0.0)
        self.of_entry: Entry
        self.installation: Installation

    def clock(self) -> float:
        """Unix seconds, so much ahead as the test says."""
        return time.time() + self.ahead

    async def entry(self, credential: TokenExchange | IdentityAssertion, **fields: Any) -> Entry:
        """An entry with this credential, installed for all; the one that `token` asks for from now on."""
        slug = fields.pop("slug", f"crm{time.monotonic_ns()}")
        async with changing(self.pool, ADMIN) as write:
            wanted = a_wanted_entry(SERVER, slug=slug, name="CRM", credential=credential, **fields)
            self.of_entry = await entries.create(write, SAFEGUARDS, wanted)
            asked = WantedInstallation(entry_id=self.of_entry.id, scope="organisation")
            self.installation = await create(write, SAFEGUARDS, asked)
        return self.of_entry

    async def person(self, name: str, kind: CallerKind = "user_token") -> Calling:
        """Somebody who signed in with the provider, and calls with a proof of Archway's."""
        async with changing(self.pool, ADMIN) as write:
            person = a_person(issuer=self.idp.issuer, subject=name, email=f"{name}@corp.test", name=name.title())
            identity = await identities.make_person(write, self.provider, person)
        await executed(self.pool, "update identities set signed_in_at = now() where id = $1", identity.id)
        self.sign_ins.people[identity.user_id] = name
        return Calling(Principal("user", identity.user_id, name), kind, TokenProof("0" * 64))

    async def bearer(self, name: str, kind: CallerKind = "provider_token", **claims: Any) -> Calling:
        """Somebody who calls with a token of the provider's own."""
        token = await self.idp.token({"sub": name, "aud": "https://tools.test/v1/mcp/work", **claims})
        return Calling(Principal("user", name, name), kind, JwtProof.of(token))

    async def token(self, calling: Calling, **asked: Any) -> ForCaller | InstallationRefusal:
        """The caller's token for the entry."""
        return await self.exchanges.token(calling, self.of_entry, self.installation, **asked)

    async def given(self, calling: Calling, **asked: Any) -> ForCaller:
        """The same, where there must be one."""
        found = await self.token(calling, **asked)
        assert isinstance(found, ForCaller), found
        return found

    async def refusal(self, calling: Calling, **asked: Any) -> InstallationRefusal:
        """The same, where there must be none."""
        found = await self.token(calling, **asked)
        assert isinstance(found, InstallationRefusal), "there is a token"
        return found

    async def exchange(self, **settings: Any) -> None:
        """The provider's half from now on: these settings over the usual ones."""
        wanted = Exchange(**{"enabled": True, "client_id": EXCHANGER, **settings})
        secret = None if wanted.client_id == EXCHANGER else POSTER_SECRET
        async with changing(self.pool, ADMIN) as write:
            self.provider = await identity_providers.change(
                write, self.provider.id, lambda now: replace(now, exchange=wanted), None, SAFEGUARDS,
                exchange_secret=secret,
            )  # fmt: skip

    async def asked(self) -> int:
        """How often the provider was asked for an exchange."""
        return len(await self.idp.exchanged())


@asynccontextmanager
async def exchanging(pool: Pool, idp: Idp) -> AsyncIterator[Exchanging]:
    """The rig, with a provider that exchanges."""
    async with Egress(LOOPBACK) as egress:
        async with changing(pool, ADMIN) as write:
            wanted = provider_fields(issuer=idp.issuer, exchange=EXCHANGE)
            provider = await identity_providers.create(write, wanted, CLIENT_SECRET, SAFEGUARDS, EXCHANGER_SECRET)
        rig = Exchanging(pool, idp, egress, provider)
        yield rig
        await rig.exchanges.close()


async def asserting(rig: Exchanging, upstream: Idp, **settings: Any) -> Entry:
    """An entry whose server's own authorization server takes the provider's word."""
    await rig.idp.exchanges(client_ids={upstream.issuer: AT_SERVER})
    await upstream.trust(rig.idp.issuer)
    credential = IdentityAssertion(rig.provider.id, upstream.issuer, AT_SERVER, **settings)
    return await rig.entry(credential, client_secret=AT_SERVER_SECRET)


def claims_of(token: str) -> dict[str, Any]:
    """What a token says."""
    return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))


async def executed(pool: Pool, statement: str, *values: Any) -> None:
    """A change that nobody here makes by itself."""
    async with transaction(pool) as connection:
        await connection.execute(statement, *values)
