"""An account in memory, and a provider in memory, that stand still where a test says: for models of renewals.

What PostgreSQL does in one transaction is one step here, between two points where whoever renews may be killed or
overtaken. The rules are those of `control/accounts/lease.py`, and the real ones have tests of their own.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from control.accounts.lease import Held, Leased, Taken
from control.accounts.next_tokens import Next
from control.credentials.upstream_oauth.token_request import Away, Refused
from control.registry.account import Account, NewAccount
from control.registry.credential import OAuthCredential
from control.store.lease_waits import LEASE_S
from core.resolve import InstallationRefusal
from core.tasks import Tasks
from tests.fakes.registry import an_account, an_entry, an_installation

ENTRY = replace(an_entry(), credential=OAuthCredential())
INSTALLATION = an_installation()
GONE = InstallationRefusal("needs_sign_in", "It was signed out.")
RESTS = InstallationRefusal("provider_away", "It rests.")


@dataclass
class ModelledRow:
    """The account's row; its tokens are the name of its refresh token."""

    account: Account
    owner: str = ""
    until: float = 0.0
    rests_until: float = 0.0


@dataclass
class ModelledLeases:
    """`Leases` of one process; each of its steps may be the last one."""

    row: ModelledRow
    name: str
    steps: Steps

    async def take(self, _: str, known: int) -> Taken:
        await self.steps.pass_by()
        row, now = self.row, time.monotonic()
        if row.account.refused_at is not None:
            return GONE
        if row.account.version > known:
            return row.account
        if row.until > now:
            return Held(ENTRY, INSTALLATION)
        if row.rests_until > now:
            return RESTS
        row.owner, row.until = f"{self.name}-{now}", now + LEASE_S
        return Leased(ENTRY, INSTALLATION, row.account, row.owner, now + LEASE_S)

    async def newest(self, _: str) -> Account | None:
        await self.steps.pass_by()
        return self.row.account

    async def keep(self, leased: Leased, account: NewAccount, _: datetime) -> Account | None:
        await self.steps.pass_by()
        assert leased.account is not None
        if self.row.account.version != leased.account.version:
            return None
        self.row.account = replace(
            self.row.account, tokens=account.tokens, version=leased.account.version + 1, failing_since=None
        )
        self.row.until = self.row.rests_until = 0.0
        await self.steps.pass_by()
        return self.row.account

    async def fail(self, leased: Leased, _: str, rest: timedelta) -> bool:
        await self.steps.pass_by()
        if self.row.owner != leased.owner or self.row.account is not leased.account:
            return False
        self.row.account = replace(self.row.account, failing_since=datetime.now(UTC))
        self.row.until, self.row.rests_until = 0.0, time.monotonic() + rest.total_seconds()
        return True

    async def refuse(self, account: Account, _: str, __: str) -> bool:
        await self.steps.pass_by()
        if self.row.account.version != account.version:
            return False
        self.row.account = replace(self.row.account, refused_at=datetime.now(UTC))
        return True


@dataclass
class Steps:
    """How long each step takes, in turn."""

    waits: list[float] = field(default_factory=list)

    async def pass_by(self) -> None:
        await asyncio.sleep(self.waits.pop(0) if self.waits else 0)


@dataclass
class ModelledProvider:
    """Rotates refresh tokens; takes the one before the newest for as long as its grace lasts."""

    grace_s: float
    newest: int = 1
    rotated_at: float = 0.0
    is_over: bool = False
    granted: int = 0
    requests: int = 0
    asked_at_once: int = 0
    most_at_once: int = 0
    faults: list[str] = field(default_factory=list)

    async def asked(self, refresh_token: int, steps: Steps, tasks: Tasks) -> Any:
        """Its answer. What has come is done, also where whoever asked is dead by then."""
        work = tasks.spawn("provider", self._asked(refresh_token, steps))
        await asyncio.wait((work,))
        return work.result()

    async def _asked(self, refresh_token: int, steps: Steps) -> Any:
        self.requests += 1
        self.asked_at_once += 1
        self.most_at_once = max(self.most_at_once, self.asked_at_once)
        try:
            await steps.pass_by()
            fault = self.faults.pop(0) if self.faults else ""
            if fault == "down":
                return Away(why="it answered 503", answered=True)
            if fault == "no":
                return Refused(error="invalid_grant", status=400)
            answer = self._rotated(refresh_token)
            await steps.pass_by()
            return Away(why="nobody answers") if fault == "lost" else answer
        finally:
            self.asked_at_once -= 1

    def _rotated(self, refresh_token: int) -> Any:
        now = time.monotonic()
        in_grace = refresh_token == self.newest - 1 and now - self.rotated_at <= self.grace_s
        if self.is_over or not (refresh_token == self.newest or in_grace):
            self.is_over = True
            return Refused(error="invalid_grant", status=400)
        if refresh_token == self.newest:
            self.newest, self.rotated_at = self.newest + 1, now
        self.granted += 1
        return Next(an_account(tokens=str(self.newest).encode()))


@dataclass
class ModelledTokens:
    """`NextTokens` of one process."""

    provider: ModelledProvider
    steps: Steps
    tasks: Tasks

    async def asked(self, leased: Leased) -> Any:
        assert leased.account is not None
        return await self.provider.asked(int(leased.account.tokens), self.steps, self.tasks)

    @staticmethod
    def clock() -> datetime:
        return datetime.now(UTC)
