"""Accounts at a provider, and replicas of control that renew them, each with connections of its own.

async with Renewing(database) as rig:
    ann = await rig.signed_in("ann", ended=True)       # an installation with an account there, its token over
    found = await rig.resolved(ann, rig.renewals)      # as a resolve call makes it ready
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from control.accounts.renewals import Renewals
from control.changes import accounts as account_changes
from control.changes import entries as entry_changes
from control.changes import installations as installation_changes
from control.changes.installations import WantedInstallation
from control.changes.safeguards import Safeguards
from control.changes.write import changing
from control.credentials.places import account_place
from control.credentials.usable import Usable
from control.providers.asking import Asker
from control.registry.access import Caller
from control.registry.account import Account, AccountTokens, NewAccount
from control.registry.credential import ClientCredentials, OAuthCredential
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.row_seals import RowSeals
from control.store import accounts, entries, installations
from control.store.pool import Pool, close_pool, open_pool, transaction
from core.egress.client import Egress
from core.keys import new_key, parse_key_ring
from core.resolve import InstallationRefusal, ResolvedInstallation
from tests.fakes.answering import LOOPBACK
from tests.fakes.registry import a_wanted_entry
from tests.fakes.rotating_provider import CLIENT, SECRET, RotatingProvider

ADMIN = Caller(user_id="", name="Ann", role="admin")


@dataclass
class Renewing:
    """A provider, a database, and one replica to begin with."""

    database: str
    provider: RotatingProvider
    ring: Any = None

    async def __aenter__(self) -> Self:
        self.ring = self.ring or parse_key_ring("ARCHWAY_SECRET_KEY", new_key())
        self.ending = AsyncExitStack()
        self.egress = await self.ending.enter_async_context(Egress(LOOPBACK))
        self.pool = await self._pool()
        self.seals = RowSeals(self.ring)
        self.safeguards = Safeguards(self.seals, LOOPBACK)
        self.renewals = await self.replica()
        self._numbers = iter(range(10_000))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.ending.aclose()

    async def replica(self, **changes: Any) -> Renewals:
        """What one more process of control has; ended with the others."""
        made = Renewals(await self._pool(), Asker(self.egress, LOOPBACK), self.seals, **changes)
        self.ending.push_async_callback(made.close)
        return made

    async def _pool(self) -> Pool:
        pool = await open_pool(self.database)
        self.ending.push_async_callback(close_pool, pool)
        return pool

    @property
    def server(self) -> str:
        """The URL of the server whose provider it is; it says nothing of itself."""
        return f"{self.provider.url}/mcp"

    async def entry(self, credential: Any = None, **changes: Any) -> Entry:
        usual = OAuthCredential(
            registration="own", client_id=CLIENT, issuer=self.provider.url, token_endpoint=self.provider.endpoint
        )
        slug = f"tools-{next(self._numbers)}"
        wanted = a_wanted_entry(self.server, slug=slug, name="Tools", credential=credential or usual, **changes)
        if isinstance(wanted.credential, OAuthCredential) and wanted.credential.client_id:
            wanted = replace(wanted, client_secret=SECRET)
        async with changing(self.pool, ADMIN) as write:
            return await entry_changes.create(write, self.safeguards, wanted)

    async def client_entry(self, **changes: Any) -> Entry:
        return await self.entry(ClientCredentials(**{"issuer": self.provider.url, **changes}))

    async def installed(self, entry: Entry, **wanted: Any) -> Installation:
        asked: dict[str, Any] = {"scope": "organisation", "name": f"I{next(self._numbers)}", **wanted}
        async with changing(self.pool, ADMIN) as write:
            return await installation_changes.create(
                write, self.safeguards, WantedInstallation(entry_id=entry.id, **asked)
            )

    async def signed_in(
        self, person: str, entry: Entry | None = None, *, ended: bool = False, tokens: Any = None, **changes: Any
    ) -> str:
        """The identifier of an installation with an account; `ended`: its access token has ended."""
        entry = entry or await self.entry()
        installation = await self.installed(entry)
        await self._keep(entry, installation, person, ended, tokens, changes)
        return installation.id

    async def sign_in_again(self, installation_id: str, person: str) -> None:
        """The same person signs in once more, for the account that the installation has."""
        entry, installation, _ = await self.rows(installation_id)
        await self._keep(entry, installation, person, False, None, {})

    async def _keep(
        self, entry: Entry, installation: Installation, person: str, ended: bool, tokens: Any, changes: dict[str, Any]
    ) -> None:
        now = datetime.now(UTC)
        ends = now + timedelta(minutes=-1 if ended else 50)
        usual: dict[str, Any] = {
            "place": account_place(entry, installation), "issuer": self.provider.url,
            "token_endpoint": self.provider.endpoint, "resource": self.server, "client_id": CLIENT,
            "client_authentication": "client_secret_basic", "tokens": b"", "expires_at": ends,
            "refresh_at": ends - timedelta(minutes=5), "scopes": ("read",), "account_name": person, "subject": person,
        }  # fmt: skip
        given = tokens or AccountTokens("first", self.provider.signs_in(person))
        async with changing(self.pool, ADMIN) as write:
            await account_changes.keep(write, self.seals, installation, NewAccount(**{**usual, **changes}), given)
        await self.execute(
            "update accounts set refreshed_at = now() - interval '1 hour', created_at = now() - interval '1 hour' "
            "where installation_id = $1", installation.id,
        )  # fmt: skip

    async def rows(self, installation_id: str) -> tuple[Entry, Installation, Account | None]:
        # What a test reads for fifty callers at once may wait longer for its turn than a request may.
        async with transaction(self.pool, readonly=True, begin_within=30.0) as connection:
            installation = await installations.one(connection, installation_id)
            assert installation is not None
            entry = await entries.one(connection, installation.entry_id)
            assert entry is not None
            return entry, installation, await accounts.one(connection, installation_id)

    async def account(self, installation_id: str) -> Account:
        found = (await self.rows(installation_id))[2]
        assert found is not None
        return found

    def tokens(self, account: Account) -> AccountTokens:
        return self.seals.open_account_tokens(account)

    async def resolved(
        self, installation_id: str, renewals: Renewals | None = None, refused_version: int = 0
    ) -> ResolvedInstallation | InstallationRefusal:
        """As a resolve call makes it ready."""
        entry, installation, account = await self.rows(installation_id)
        usable = self.usable(renewals or self.renewals)
        return await usable.resolved(entry, installation, account, refused_version)

    def usable(self, renewals: Renewals) -> Usable:
        """What makes installations ready in a process that renews with these."""
        return Usable(self.seals, renewals)

    async def token(self, installation_id: str, renewals: Renewals | None = None, refused_version: int = 0) -> str:
        """The access token that a call would carry; fails where there is none."""
        found = await self.resolved(installation_id, renewals, refused_version)
        assert isinstance(found, ResolvedInstallation), found
        return dict(found.credential_headers)["authorization"].removeprefix("Bearer ")

    async def refusal(
        self, installation_id: str, renewals: Renewals | None = None, refused_version: int = 0
    ) -> InstallationRefusal:
        """Why a call cannot go; fails where it can."""
        found = await self.resolved(installation_id, renewals, refused_version)
        assert isinstance(found, InstallationRefusal), found
        return found

    async def execute(self, statement: str, *values: Any) -> list[Any]:
        async with transaction(self.pool) as connection:
            return list(await connection.fetch(statement, *values))

    async def rested(self, installation_id: str) -> None:
        """As if the time after a fault were over."""
        await self.execute(
            "update accounts set refresh_at = now() - interval '1 s', refresh_until = null "
            "where installation_id = $1",
            installation_id,
        )
