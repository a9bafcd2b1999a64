"""People who signed in with an identity provider, and replicas of control that refresh what it gave them.

async with KeptSignIns(database, provider) as rig:          # a RotatingProvider
    ann = await rig.signed_in("ann", ended=True)            # a user; what the provider gave has ended
    tokens = await rig.replica().living(ann, rig.corp.id)   # as one more process of control gives it
"""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from control.changes import identities as identity_changes
from control.changes import identity_providers as changes
from control.changes import users
from control.changes.safeguards import Safeguards
from control.changes.write import changing
from control.identity.kept_tokens import KeptTokens
from control.identity.key_sets import KeySets
from control.identity.presence import Presence
from control.identity.refreshes import Refreshes
from control.identity.token_endpoint import ProviderTokens, unpacked
from control.providers.asking import Asker
from control.registry.access import Caller
from control.registry.identity import Identity, SignInGiven
from control.registry.identity_provider import Endpoints, IdentityProvider
from control.registry.row_seals import RowSeals
from control.registry.user import NewUser
from control.store import identities
from control.store.pool import Pool, close_pool, open_pool, transaction
from core.egress.client import Egress
from core.keys import new_key, parse_key_ring
from core.signing import Signer
from tests.fakes.answering import LOOPBACK
from tests.fakes.providers import a_person, provider_fields
from tests.fakes.rotating_provider import CLIENT, SECRET, RotatingProvider

ADMIN = Caller(user_id="", name="Root", role="admin")
PAGES = "https://archway.test"


@dataclass
class Replica:
    """What one process of control has: connections of its own, and nothing shared but the database."""

    pool: Pool
    kept: KeptTokens
    presence: Presence
    refreshes: Refreshes


@dataclass
class KeptSignIns:
    """A provider, a database, and one replica to begin with."""

    database: str
    provider: RotatingProvider

    async def __aenter__(self) -> Self:
        self.ending = AsyncExitStack()
        self.egress = await self.ending.enter_async_context(Egress(LOOPBACK))
        self.seals = RowSeals(parse_key_ring("ARCHWAY_SECRET_KEY", new_key()))
        self.signer = Signer(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()))
        self.safeguards = Safeguards(self.seals, LOOPBACK)
        self.first = await self.replica()
        self.pool, self.kept, self.presence = self.first.pool, self.first.kept, self.first.presence
        self.corp = await self._corp()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.ending.aclose()

    async def replica(self) -> Replica:
        pool = await open_pool(self.database)
        self.ending.push_async_callback(close_pool, pool)
        asker = Asker(self.egress, LOOPBACK)
        key_sets = KeySets(pool, asker, self.signer)
        refreshes = Refreshes(pool, asker, key_sets, self.seals)
        self.ending.push_async_callback(refreshes.close)
        return Replica(pool, KeptTokens(pool, self.seals, refreshes, PAGES), Presence(pool, refreshes), refreshes)

    async def _corp(self) -> IdentityProvider:
        url = self.provider.url
        async with changing(self.pool, ADMIN) as write:
            await users.create(write, NewUser(name="Root", email="root@corp.test", role="admin"))
            made = await changes.create(write, provider_fields(issuer=url, client_id=CLIENT), SECRET, self.safeguards)
            _ = await changes.claim_try(write, made.id, 0.0)
            endpoints = Endpoints(f"{url}/auth", self.provider.endpoint, f"{url}/keys")
            await changes.keep_endpoints(write, made, endpoints)
        return made

    async def user(self, name: str) -> str:
        async with changing(self.pool, ADMIN) as write:
            return (await users.create(write, NewUser(name=name, email=f"{name}@corp.test", role="member"))).id

    async def signed_in(self, name: str, *, ended: bool = False, **changes: Any) -> str:
        """A user whose sign-in gave tokens an hour ago; `ended`: the access token has ended."""
        user_id = await self.user(name)
        now = time.time()
        given = {
            "access_token": f"first of {name}", "refresh_token": self.provider.signs_in(name),
            "obtained_at": now - 3_600, "expires_at": now + (-1 if ended else 3_000), **changes,
        }  # fmt: skip
        tokens = ProviderTokens(**given)
        person = a_person(issuer=self.provider.url, subject=name, email=f"{name}@corp.test")
        async with changing(self.pool, ADMIN) as write:
            identity = await identity_changes.link(write, self.corp, person, user_id)
            sealed = self.seals.provider_tokens(identity.id, tokens.packed())
            await identity_changes.sign_in(
                write, self.corp, identity, person, SignInGiven(sealed, tokens.ends_for_good)
            )
        return user_id

    async def identity(self, user_id: str) -> Identity:
        async with transaction(self.pool, readonly=True) as connection:
            (found,) = await identities.of_user(connection, user_id)
        return found

    async def tokens(self, user_id: str) -> ProviderTokens | None:
        """What is kept of this user now."""
        identity = await self.identity(user_id)
        if identity.tokens is None:
            return None
        return unpacked(self.seals.open_provider_tokens(identity.id, identity.tokens))

    async def given(self, user_id: str, replica: Replica | None = None, **asked: Any) -> ProviderTokens:
        """What is given for an exchange; fails where nothing is."""
        found = await (replica or self.first).kept.living(user_id, self.corp.id, within=30.0, **asked)
        assert isinstance(found, ProviderTokens), found
        return found

    async def why_not(self, user_id: str, **asked: Any) -> tuple[str, str]:
        """Why nothing is given, and the sentence; fails where something is."""
        found = await self.kept.living(user_id, self.corp.id, **{"within": 30.0, **asked})
        assert not isinstance(found, ProviderTokens)
        return found.why, found.sentence

    async def execute(self, statement: str, *values: Any) -> list[Any]:
        async with transaction(self.pool) as connection:
            return list(await connection.fetch(statement, *values))

    async def rested(self) -> None:
        """As if the time after a fault were over, and whoever held a lease were gone."""
        await self.execute(
            "update identities set check_tried_at = $1, refresh_until = null", datetime(2020, 1, 1, tzinfo=UTC)
        )

    async def due(self) -> None:
        """Everybody is due: nobody has been asked about for so long."""
        await self.execute(
            "update identities set checked_at = checked_at - interval '5 hours', check_tried_at = null"
        )
