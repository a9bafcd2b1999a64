"""An installation made ready for use: its secrets opened, and the token of its account one that lives.

Called by the resolve calls (`control/internal/`) and by discovery, so that what was probed is what is called. Leaves
out who may have it (`resolution.py`), and how a provider is asked for the next token: whoever is handed in as
`Renewals` does that (`control/accounts/renewals.py`).
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from control.credentials import lacks
from control.credentials.calling import Calling
from control.credentials.for_caller import ForCallers
from control.credentials.given import NOTHING, Given, given_to
from control.credentials.lacks import Lacking
from control.credentials.resolved import needs_sign_in, refusal_of, resolve_installation, version_of
from control.credentials.statement import CallerStatements, Facts
from control.registry.account import Account
from control.registry.credential import ACCESS_TOKEN, ForOneCaller, WithAccount
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.row_seals import OpenedSecrets, RowSeals
from control.registry.server_state import Place
from core.resolve import InstallationRefusal, ResolvedInstallation
from core.sealing import SealBroken

log = logging.getLogger(__name__)


class Renewals(Protocol):
    """Asks providers for the next token of an account, once however many ask for it."""

    async def renewed(
        self, entry: Entry, installation: Installation, account: Account | None, within: float = 0.0
    ) -> Account | InstallationRefusal:
        """The account with a token that is newer than that of `account`, or why there is none `within` so many
        seconds (0: the usual time). `account` is None where a client of the installation has no token yet.
        """

    def noticed(self, account: Account) -> None:
        """A call is about to use this account, whose token lives: nobody waits for what is made of that."""


class Usable:
    """Makes installations ready for use; it needs what opens their rows, and whoever renews tokens."""

    def __init__(
        self,
        seals: RowSeals,
        renewals: Renewals,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        place: Place | None = None,
        for_callers: ForCallers | None = None,
        statements: CallerStatements | None = None,
    ) -> None:
        self._seals, self._renewals, self._clock = seals, renewals, clock
        self._for_callers, self._statements = for_callers, statements
        self._place: Place | None = place
        """Where servers run here; None for nowhere."""

    async def resolved(
        self,
        entry: Entry,
        installation: Installation,
        account: Account | None,
        refused_version: int = 0,
        within: float = 0.0,
        *,
        calling: Calling | None = None,
        facts: Facts | None = None,
        newer_than: float = 0.0,
    ) -> ResolvedInstallation | InstallationRefusal:
        """The installation as a proxy may use it, or why it cannot be used. May wait for the provider, `within` so
        many seconds; 0: as long as any question.

        `refused_version`: the server did not accept the credential of this version, so a newer one is needed.
        `calling`: who calls. None: nobody does, so that a server which gets another credential for each caller gets
        none. `facts`: what a server may be told of them. `newer_than`: of what is theirs alone, the server did not
        accept what was obtained then.
        """
        found = await self.opened(
            entry,
            installation,
            account,
            refused_version,
            within,
            calling=calling,
            facts=facts,
            newer_than=newer_than,
        )
        return found if isinstance(found, InstallationRefusal) else found[0]

    async def opened(
        self,
        entry: Entry,
        installation: Installation,
        account: Account | None,
        refused_version: int = 0,
        within: float = 0.0,
        *,
        calling: Calling | None = None,
        facts: Facts | None = None,
        newer_than: float = 0.0,
    ) -> tuple[ResolvedInstallation, OpenedSecrets] | InstallationRefusal:
        """As `resolved`, with all secrets that are in it."""
        given = NOTHING
        if calling is not None and isinstance(entry.credential, ForOneCaller):
            asked = await self._given(calling, entry, installation, newer_than, within)
            if isinstance(asked, InstallationRefusal):
                return asked
            given = asked
        if isinstance(entry.credential, WithAccount):
            refusal = refusal_of(entry, installation, _lacking(entry, installation, account))
            if refusal is not None:
                return refusal
            if self._must_be_renewed(entry, installation, account, refused_version):
                found = await self._renewals.renewed(entry, installation, account, within)
                if isinstance(found, InstallationRefusal):
                    return found
                account = found
            if account is not None:
                self._renewals.noticed(account)
        else:
            account = None
        try:
            secrets = self._seals.open(entry, installation, account)
        except SealBroken:
            log.exception("sealed values cannot be opened", extra={"installation": installation.id})
            return needs_sign_in(entry, installation, "has a credential that cannot be read any more")
        if given.token:
            secrets = replace(secrets, values={**secrets.values, ACCESS_TOKEN: given.token})
        resolved = resolve_installation(entry, installation, secrets, account, self._place, given)
        if isinstance(resolved, InstallationRefusal):
            return resolved
        return self._told(entry, resolved, secrets, facts)

    def _told(
        self, entry: Entry, resolved: ResolvedInstallation, secrets: OpenedSecrets, facts: Facts | None
    ) -> tuple[ResolvedInstallation, OpenedSecrets]:
        """With what the server is told of the caller; a signed statement is a secret, too."""
        if entry.caller_statement is None:
            return resolved, secrets
        assert self._statements is not None, "nobody here tells servers of callers"
        told = self._statements.told(entry, resolved, facts)
        if entry.caller_statement.form == "jwt":
            secrets = replace(secrets, values={**secrets.values, "statement": told.statement_headers[0][1]})
        return told, secrets

    async def _given(
        self, calling: Calling, entry: Entry, installation: Installation, newer_than: float, within: float
    ) -> Given | InstallationRefusal:
        lacking = lacks.of_answers(entry, installation) or lacks.of_state(installation)
        refusal = refusal_of(entry, installation, lacking)
        if refusal is not None:
            return refusal
        return await given_to(calling, entry, installation, self._for_callers, newer_than, within)

    def _must_be_renewed(
        self, entry: Entry, installation: Installation, account: Account | None, refused_version: int
    ) -> bool:
        if account is None or not lacks.fits(entry, installation, account):
            return True  # a client gets its token for the place that the entry names now
        if version_of(entry, installation, account) <= refused_version:
            return True
        return not account.lives_at(self._clock())


def _lacking(entry: Entry, installation: Installation, account: Account | None) -> Lacking | None:
    """What it lacks, the most telling first: an account that was signed out says why, where its installation's state
    says only that something must be given again.
    """
    return (
        lacks.of_answers(entry, installation)
        or lacks.of_account(entry, installation, account)
        or lacks.of_state(installation)
    )
