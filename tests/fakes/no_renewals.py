"""Whoever renews accounts, for tests of servers that have none: nobody is to be asked for a token."""

from __future__ import annotations

from control.registry.account import Account
from control.registry.entry import Entry
from control.registry.installation import Installation
from core.resolve import InstallationRefusal


class NoRenewals:
    """Fails where a token is asked for."""

    async def renewed(
        self, entry: Entry, installation: Installation, account: Account | None, within: float = 0.0
    ) -> Account | InstallationRefusal:
        raise AssertionError("nothing here has an account")

    def noticed(self, account: Account) -> None:
        raise AssertionError("nothing here has an account")
