"""What a server is told of a caller: the headers that an entry's `caller_statement` asks for, made for one call.

Called by `usable.py`. Of what is unknown of a caller nothing is said: a team's token has no e-mail, so the claim is
left out and the header is not sent, nor is a caller's own copy. Where nobody calls (discovery, listening for news of
lists) Archway speaks of itself, under a subject of its own. Leaves out the rules of what may be asked for
(`control/registry/caller_statement.py`), and where facts are read (`control/store/resolution.py`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from msgspec.structs import replace

from control.credentials.resolution import ResolutionRows
from control.registry.caller_statement import CallerStatement, Told
from control.registry.entry import Entry, Remote
from control.registry.origin import origin_of
from core.caller_statements import StatementSigner
from core.resolve import Principal, ResolvedInstallation

MOST_TEAMS: Final = 50
"""Teams of a caller that are told, the first by name: headers above eight kilobytes are refused by many servers."""
OURSELVES: Final = "archway"
"""The subject where nobody calls. No caller has it: theirs say of what kind they are."""
_PLAIN: Final = "".join(map(chr, range(0x21, 0x7F))).translate(str.maketrans("", "", "%,"))
"""What stands in a plain header as it is: visible ASCII without what begins an encoded byte or parts a list."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one caller and of what they call; '' for what is not."""

    subject: str
    """The principal's key."""
    email: str = ""
    name: str = ""
    teams: tuple[str, ...] = ()
    """Their names."""
    gateway: str = ""
    """Its slug."""
    tool: str = ""
    """As the server calls it."""


def facts_of(principal: Principal, rows: ResolutionRows) -> Facts:
    """What is known of this caller, of what was read for their call."""
    teams = tuple(rows.team_names[one] for one in principal.teams if one in rows.team_names)
    return Facts(principal.key, rows.email, principal.name, teams, rows.gateway, rows.tool)


def audience_of(entry: Entry, url: str) -> str:
    """For whom a statement is: the origin of the server's URL. Of one that Archway runs, whose address nobody chose,
    `archway:` and the entry's slug.
    """
    return origin_of(url) if isinstance(entry.reached, Remote) else f"archway:{entry.slug}"


class CallerStatements:
    """Puts what a server is told of the caller into an installation that is handed to a proxy, as its entry asks."""

    def __init__(self, signer: StatementSigner, clock: Callable[[], float] = time.time) -> None:
        self._signer, self._clock = signer, clock

    def told(self, entry: Entry, resolved: ResolvedInstallation, facts: Facts | None) -> ResolvedInstallation:
        """The installation with what its server is told; as it is where its entry asks for nothing. `facts` None:
        nobody calls.
        """
        wanted = entry.caller_statement
        if wanted is None:
            return resolved
        facts = facts or Facts(OURSELVES)
        more = replace(
            resolved, made_for=resolved.made_for or facts.subject, request_id_header=wanted.request_id_header
        )
        if wanted.form == "headers":
            return replace(more, statement_headers=plain_headers(wanted, facts))
        claims: dict[str, str | tuple[str, ...]] = {"aud": audience_of(entry, resolved.url)}
        claims |= {_CLAIMS[one]: said for one in ("subject", *wanted.tells) if (said := _said(one, facts))}
        statement, ends = self._signer.statement(claims, self._clock())
        value = f"Bearer {statement}" if wanted.header == "authorization" else statement
        expires_at = min(ends, resolved.expires_at) if resolved.expires_at else ends
        return replace(more, statement_headers=[(wanted.header, value)], expires_at=expires_at)


def plain_headers(wanted: CallerStatement, facts: Facts) -> list[tuple[str, str]]:
    """Header to value, of visible ASCII whatever the facts are: bytes of UTF-8 are percent-encoded (RFC 3986 section
    2.1), members of a list stand behind commas. '' for a header that is not sent.
    """
    return [(name, _as_header(_said(told, facts))) for told, name in wanted.headers.items()]


_CLAIMS: Final[dict[Told, str]] = {
    "subject": "sub", "email": "email", "name": "name", "teams": "teams", "gateway": "gateway", "tool": "tool"
}  # fmt: skip


def _said(told: Told, facts: Facts) -> str | tuple[str, ...]:
    return tuple(sorted(facts.teams)[:MOST_TEAMS]) if told == "teams" else getattr(facts, told)


def _as_header(said: str | tuple[str, ...]) -> str:
    return ",".join(quote(one, safe=_PLAIN, errors="replace") for one in ((said,) if isinstance(said, str) else said))
