"""Which installation would serve a call, whose it is, and what the server would get: what a resolve call decides.

Called by `explaining.py`, with what `control/store/resolution.py` read. The choice, the table of whose token it is
and the refusals are those of real calls (`control/credentials/`); nobody outside is asked for anything.
"""

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from control.credentials.calling import Calling
from control.credentials.cure import install_link, with_link
from control.credentials.resolution import ResolutionRows, choose_installation
from control.credentials.standing import Standing, standing_of
from control.credentials.statement import facts_of
from control.credentials.whose import Uses, cell_of
from control.explain.dry_usable import Opening, would_be_used
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.server_state import as_seen_now
from core.resolve import InstallationAnswer, InstallationRefusal

_WOULD_WAKE: Final = "{name} is asleep, since nobody called it for a while: the call would start it, and wait for it."
"""Of a call that is made the caller is told that it is being started; that one is explained starts nothing."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What control says of the installation."""

    answer: InstallationAnswer
    """For the stages; no header in it has a value."""
    unsettled: str = ""
    """Who would be asked for a token first; '' for nobody."""
    entry: Entry | None = None
    installation: Installation | None = None
    """None where none is chosen."""
    uses: Uses | None = None
    """Whose token the server would get; None where it gets none, and where no installation is chosen."""
    standing: Standing | None = None
    """How the installation stands, for whoever looks after it."""


async def serving(calling: Calling, rows: ResolutionRows | None, opening: Opening, pages_url: str) -> Serving:
    """Which installation would serve this caller."""
    principal = calling.principal
    chosen = choose_installation(principal, rows, pages_url, kind=calling.kind)
    if isinstance(chosen, InstallationRefusal):
        return Serving(InstallationAnswer(refusal=chosen), entry=rows.entry if rows is not None else None)
    assert rows is not None  # else nothing was chosen
    account = rows.accounts.get(chosen.id)
    found, would_ask = await would_be_used(opening, calling, facts_of(principal, rows), rows.entry, chosen, account)
    if isinstance(found, InstallationRefusal) and would_ask:
        # Who is asked first may refuse before this does, in other words.
        answer = InstallationAnswer(refusal=replace(found, sentence=would_ask, under_way=True))
    elif isinstance(found, InstallationRefusal) and found.under_way and _sleeps(chosen, opening):
        answer = InstallationAnswer(refusal=replace(found, sentence=_WOULD_WAKE.format(name=rows.entry.name)))
    elif isinstance(found, InstallationRefusal):
        link = install_link(pages_url, rows.entry, principal, chosen)
        answer = InstallationAnswer(refusal=with_link(found, principal, link))
    else:
        answer = InstallationAnswer(installation=found)
    uses = cell_of(rows.entry.credential, calling.kind).uses
    if uses == "nothing" and rows.entry.caller_statement is not None:
        uses = "statement"
    return Serving(answer, would_ask, rows.entry, chosen, uses, standing_of(rows.entry, chosen, account))


def _sleeps(installation: Installation, opening: Opening) -> bool:
    return as_seen_now(installation.id, installation.server_state, opening.place).phase == "asleep"
