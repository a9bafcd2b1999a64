"""What a call would be given of an installation, by the very code that gives it, with nobody asked for anything.

Called by `serving.py`. Where a provider would be asked for a token first, one is supposed and that is noted: whether
the provider gives it is known only at the call. Secrets are opened as for a call, and leave this file as the names of
headers alone.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from msgspec.structs import replace as replace_struct

from control.credentials.calling import Calling
from control.credentials.for_caller import ForCaller
from control.credentials.statement import CallerStatements, Facts
from control.credentials.usable import Usable
from control.registry.account import Account, AccountTokens
from control.registry.credential import IdentityAssertion
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.row_seals import RowSeals
from control.registry.server_state import Place
from core.explain import blank
from core.resolve import InstallationRefusal, ResolvedInstallation

_NONE: Final = "none"  # stands where a token would


_SAID: Final = "-"
"""In place of what is said of a caller: a header of this kind with nothing in it is not sent."""


class KnowsExchanges(Protocol):
    """A part that knows what stands against an exchange of tokens (`would_exchange.py`)."""

    async def why_not(self, calling: Calling, entry: Entry) -> InstallationRefusal | None:
        """Why there would be no token; None where a provider would be asked."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What is needed to make an installation ready for use, beside somebody who asks providers."""

    seals: RowSeals
    place: Place | None
    """Where servers run here; None for nowhere."""
    statements: CallerStatements | None = None
    exchange: KnowsExchanges | None = None
    """None: of an exchange nothing is known before."""


class _SupposedTokens:
    """Stands for whoever asks providers: gives a token that is good for nothing, and keeps what would be asked."""

    def __init__(self, seals: RowSeals, exchange: KnowsExchanges | None) -> None:
        self._seals, self._exchange = seals, exchange
        self.would_ask = ""

    async def renewed(
        self, entry: Entry, installation: Installation, account: Account | None, within: float = 0.0
    ) -> Account:
        """An account with a token."""
        self.would_ask = (
            "There is no token yet: the server's provider would be asked for one."
            if account is None
            else "The token has ended, or is for another place: the server's provider would be asked for a new one."
        )
        supposed = account or _an_account(installation)
        sealed = self._seals.account_tokens(installation.id, supposed, AccountTokens(_NONE))
        return replace(supposed, tokens=sealed, expires_at=None)

    def noticed(self, account: Account) -> None:
        """Nothing: no call uses it."""

    async def token(
        self,
        calling: Calling,
        entry: Entry,
        installation: Installation,
        *,
        newer_than: float = 0.0,
        within: float = 0.0,
    ) -> ForCaller | InstallationRefusal:
        """A token for the caller, unless it is known before anybody is asked that there is none."""
        if self._exchange is not None and (known := await self._exchange.why_not(calling, entry)) is not None:
            return known
        then = ", and with what it gives the server's own" if isinstance(entry.credential, IdentityAssertion) else ""
        self.would_ask = f"The identity provider would be asked to exchange the caller's token{then}."
        return ForCaller(_NONE, 0.0, 0.0)


def _an_account(installation: Installation) -> Account:
    now = datetime.now(UTC)
    return Account(
        place="", issuer="", token_endpoint="", client_id="", client_authentication="none", tokens=b"",
        installation_id=installation.id, version=1, wanted_scopes=(), fault="", failing_since=None, refused_at=None,
        used_at=None, refreshed_at=now, created_at=now,
    )  # fmt: skip


async def would_be_used(
    opening: Opening,
    calling: Calling,
    facts: Facts,
    entry: Entry,
    installation: Installation,
    account: Account | None,
) -> tuple[ResolvedInstallation | InstallationRefusal, str]:
    """What a proxy would be told, without the values of headers; and what somebody would be asked for first, in a
    sentence: '' where nobody would.
    """
    supposed = _SupposedTokens(opening.seals, opening.exchange)
    usable = Usable(opening.seals, supposed, place=opening.place, for_callers=supposed, statements=opening.statements)
    found = await usable.resolved(entry, installation, account, calling=calling, facts=facts)
    if isinstance(found, InstallationRefusal):
        return found, supposed.would_ask
    told = replace_struct(
        found,
        fixed_headers=blank(found.fixed_headers),
        credential_headers=blank(found.credential_headers),
        statement_headers=[(name, _SAID if value else "") for name, value in found.statement_headers],
    )
    return told, supposed.would_ask
