"""Who renews an account: one at a time, over all workers and replicas, by a lease in the account's own row.

Called by `one_renewal.py`. In one transaction the row is locked and judged, and either leased, or it is said why not:
somebody renews it, somebody has, its provider is left alone for a while, or a person has to sign in. Whoever holds
the lease may ask the provider until shortly before it ends; it is longer than all questions of one renewal together.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from control.accounts import no_token
from control.accounts.times import refusals_with
from control.changes import renewals as changes
from control.changes.write import Write, changing
from control.credentials.lacks import fits, of_account, of_answers
from control.credentials.resolved import refusal_of
from control.registry.account import Account, AccountTokens, NewAccount
from control.registry.credential import ClientCredentials, OAuthCredential
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.row_seals import RowSeals
from control.registry.server_url import server_url
from control.registry.upstream_client import RegisteredClient
from control.store import entries, installations, renewals, upstream_clients
from control.store.lease_waits import LEASE_S, left_of
from control.store.pool import Pool
from control.store.renewals import AccountToRenew
from core.egress.addresses import ANYWHERE
from core.identifiers import new_id
from core.resolve import InstallationRefusal
from core.sealing import SealBroken

log = logging.getLogger(__name__)

_ELSEWHERE_REST: Final = timedelta(hours=1)
"""An account of another place than the entry's may be good again when the entry moves back."""
AT_ONCE: Final = 6
"""Transactions of all renewals of a replica together: others need its connections too."""


@dataclass(frozen=True, slots=True)
class Leased:
    """An account that is ours to renew, with all that its provider is asked with."""

    entry: Entry
    installation: Installation
    account: Account | None
    """None for a client that has no token yet: it needs no lease, since any token of it is as good as another."""
    owner: str
    ends: float
    """By the monotonic clock of this process, and earlier than in the row."""
    tokens: AccountTokens = field(repr=False, default_factory=lambda: AccountTokens(""))
    registered: RegisteredClient | None = None
    """Where Archway registered itself."""

    @property
    def url(self) -> str:
        """Of the server, as the installation reaches it."""
        return server_url(self.entry, self.installation.plain_values, ANYWHERE)

    @property
    def left(self) -> float:
        """Seconds in which the provider may still be asked."""
        return left_of(self.ends)


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else renews it just now."""

    entry: Entry
    installation: Installation


@dataclass(frozen=True, slots=True)
class Ended:
    """Its token has ended, and its provider gave nothing to renew it with."""

    entry: Entry
    installation: Installation
    account: Account


Taken = Leased | Held | Ended | Account | InstallationRefusal
"""What comes of the wish to renew: an account is a newer one that somebody else has got."""


class Leases:
    """Gives accounts to whoever renews them; it needs the database, and what opens the rows' secrets."""

    def __init__(self, pool: Pool, seals: RowSeals) -> None:
        self._pool, self._seals = pool, seals
        self._places = asyncio.Semaphore(AT_ONCE)

    async def take(self, installation_id: str, known: int) -> Taken:
        """The account to renew it, if it is of this version or older (0: of none). Raises StoreUnavailable."""
        began = time.monotonic()
        async with self._writing() as write:
            installation = await installations.one(write.connection, installation_id)
            entry = None if installation is None else await entries.one(write.connection, installation.entry_id)
            if installation is None or entry is None:
                return no_token.gone()
            found = await renewals.for_renewal(write.connection, installation_id)
            return await self._judged(write, entry, installation, found, known, began + LEASE_S)

    async def newest(self, installation_id: str) -> Account | None:
        """The account as it is now; None where it is gone. Raises StoreUnavailable."""
        async with self._writing() as write:
            found = await renewals.for_renewal(write.connection, installation_id)
            return None if found is None else found.account

    async def keep(self, leased: Leased, account: NewAccount, now: datetime) -> Account | None:
        """Store the next tokens; None where somebody was faster, or the account is gone. Raises StoreUnavailable, and
        StoreConflict where the installation is gone.
        """
        before, refusals = leased.account, 0
        if before is not None and fits(leased.entry, leased.installation, before):
            refusals = refusals_with(before, leased.installation, now)
        version = 0 if before is None else before.version
        async with self._writing() as write:
            return await changes.keep(write, leased.installation.id, version, account, refusals)

    async def fail(self, leased: Leased, why: str, rest: timedelta) -> bool:
        """End the lease without tokens; False where somebody else has it meanwhile. Raises StoreUnavailable."""
        if leased.account is None:
            return True
        async with self._writing() as write:
            return await changes.fail(write, leased.account, leased.owner, why, rest)

    async def refuse(self, account: Account, why: str, reason: str) -> bool:
        """Nobody asks with this account again until a person signs in; False where there is a newer one."""
        async with self._writing() as write:
            return await changes.refuse(write, account, why, reason)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Write]:
        async with self._places, changing(self._pool, changes.PROVIDER) as write:
            yield write

    async def _judged(
        self,
        write: Write,
        entry: Entry,
        installation: Installation,
        found: AccountToRenew | None,
        known: int,
        ends: float,
    ) -> Taken:
        account = None if found is None else found.account
        refusal = await self._refusal(write, entry, installation, account)
        if refusal is not None:
            return refusal
        if found is None or account is None:
            return Leased(entry, installation, None, "", ends)
        if account.version > known and account.refused_at is None and fits(entry, installation, account):
            return account
        if found.is_held:
            return Held(entry, installation)
        if found.is_resting and fits(entry, installation, account):
            return no_token.away(entry, installation, account.fault)
        tokens = AccountTokens("")
        if isinstance(entry.credential, OAuthCredential):
            try:
                tokens = self._seals.open_account_tokens(account)
            except SealBroken:
                log.exception("an account cannot be opened", extra={"installation": installation.id})
                return no_token.signed_out(entry, installation, "has an account that cannot be read any more")
            if not tokens.refresh_token:
                if found.has_ended:
                    return Ended(entry, installation, account)
                return no_token.signed_out(entry, installation, "has a token that its server does not take")
        owner = new_id()
        if not await changes.lease(write, account, owner, timedelta(seconds=LEASE_S)):
            return Held(entry, installation)
        registered = None
        if account.upstream_client_id is not None:
            registered = await upstream_clients.one(write.connection, account.upstream_client_id)
        return Leased(entry, installation, account, owner, ends, tokens, registered)

    async def _refusal(
        self, write: Write, entry: Entry, installation: Installation, account: Account | None
    ) -> InstallationRefusal | None:
        """Why nobody may renew it as things stand."""
        # What an earlier discovery found does not count here: the next one would never get a token.
        lacking = of_answers(entry, installation)
        if lacking is not None or isinstance(entry.credential, ClientCredentials):
            return refusal_of(entry, installation, lacking)
        refusal = refusal_of(entry, installation, of_account(entry, installation, account))
        if not isinstance(entry.credential, OAuthCredential):
            refusal = no_token.signed_out(entry, installation, "needs no account any more")
        if refusal is not None and account is not None and account.refused_at is None:
            await changes.put_off(write, [installation.id], _ELSEWHERE_REST)
        return refusal
