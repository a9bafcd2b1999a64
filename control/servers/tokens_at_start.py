"""The token of an account that a program over stdio is started with: which one, and where it comes from.

Called by `wanting.py`, which reads rows, and by `control/hosted_servers.py`, which asks for a token where the account
has none that lives: the first one of a client, or the next one of an account that was not renewed in time. Ahead of
the end that is done in the background (`control/accounts/early_renewals.py`), as for all accounts that are used: a
program that runs uses its account.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from control.credentials import lacks
from control.credentials.lacks import Lacking
from control.credentials.usable import Renewals
from control.registry.account import Account
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.servers.runtime import Refused
from core.resolve import InstallationRefusal

WITHIN_S = 10.0
"""For a provider's answer. Nobody waits for it but the server."""


@dataclass(frozen=True, slots=True)
class TokenWanted:
    """An installation whose account has no token that a program could be started with."""

    entry: Entry
    installation: Installation
    account: Account | None


class TokensAtStart:
    """Says which token a program is started with; it needs whoever renews accounts."""

    def __init__(self, renewals: Renewals, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._renewals, self._clock = renewals, clock

    def of(self, entry: Entry, installation: Installation, account: Account | None) -> Account | TokenWanted:
        """The account with the token to start with, or what to ask for. Refused where somebody must sign in."""
        lacking = _lacking(entry, installation, account)
        if lacking is not None:
            raise _not_signed_in(f"{lacking.cause} {lacking.details}".strip())
        if account is None or not lacks.fits(entry, installation, account) or not account.lives_at(self._clock()):
            return TokenWanted(entry, installation, account)
        self._renewals.noticed(account)
        return account

    async def get(self, wanted: TokenWanted) -> None:
        """Have it got and kept. Raises Refused where there is none: nothing goes on with one that has ended."""
        found = await self._renewals.renewed(wanted.entry, wanted.installation, wanted.account, WITHIN_S)
        if not isinstance(found, InstallationRefusal):
            return
        if found.code == "needs_sign_in":
            raise _not_signed_in(found.sentence)
        raise Refused("no_token", found.sentence, ends=True)


def _lacking(entry: Entry, installation: Installation, account: Account | None) -> Lacking | None:
    lacking = lacks.of_account(entry, installation, account)
    if lacking is None and account is not None and account.refused_at is not None and lacks.of_state(installation):
        return Lacking("signed_out", details=account.fault)  # a client that its provider does not take
    return lacking


def _not_signed_in(message: str) -> Refused:
    return Refused("not_signed_in", message, ends=True)
