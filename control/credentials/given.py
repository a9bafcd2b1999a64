"""What a server gets for one caller, where that is another for each of them: by the table, or why there is nothing.

Called by `usable.py`. A token that providers exchange comes of whoever is handed in as `ForCallers`; a token that is
passed on stays with the proxy, which has it. Leaves out everything that an installation holds.
"""

from dataclasses import dataclass, field
from typing import Final

from control.credentials.calling import Calling
from control.credentials.for_caller import ForCallers
from control.credentials.kinds import passthrough
from control.credentials.whose import CallerKind, cell_of
from control.registry.credential import ForOneCaller, Passthrough
from control.registry.entry import Entry
from control.registry.installation import Installation
from core.resolve import InstallationRefusal


@dataclass(frozen=True, slots=True)
class Given:
    """What a request carries for its caller."""

    token: str = field(default="", repr=False)
    """'' for none."""
    own: bool = False
    """The token that the caller came with, which the proxy puts into the request."""
    expires_at: float = 0.0
    """Unix seconds at which it ends; 0: never, or not known."""
    obtained_at: float = 0.0
    """Unix seconds at which it was obtained: a newer one is told by it; 0 where there cannot be a newer one."""
    made_for: str = ""
    """Whom alone it serves: all that a person has with one sign-in, or who comes with this very credential."""


NOTHING: Final = Given()


def against(entry: Entry, caller: CallerKind) -> InstallationRefusal | None:
    """Why this server gets nothing for such a caller, whichever installation serves; None where it may."""
    credential = entry.credential
    cell = cell_of(credential, caller)
    if not isinstance(credential, ForOneCaller) or cell.uses is not None:
        return None
    return InstallationRefusal("not_allowed", f"{entry.name} {cell.refusal}.")


async def given_to(
    calling: Calling,
    entry: Entry,
    installation: Installation,
    for_callers: ForCallers | None,
    newer_than: float = 0.0,
    within: float = 0.0,
) -> Given | InstallationRefusal:
    """What this caller's requests carry. `newer_than`: the server has refused the one that was obtained then; 0 where
    it has not. Waits `within` so many seconds for a provider; 0: the usual time.
    """
    credential = entry.credential
    assert isinstance(credential, ForOneCaller)
    if (refused := against(entry, calling.kind)) is not None:
        return refused
    if isinstance(credential, Passthrough):
        why = passthrough.against(credential, calling.audience)
        if why:
            return InstallationRefusal("not_allowed", f"{entry.name} {why}.")
        return Given(own=True, expires_at=calling.expires_at, made_for=calling.proof.digest)
    if for_callers is None:
        return InstallationRefusal("not_allowed", f"{entry.name} cannot be used here: no tokens are exchanged.")
    found = await for_callers.token(calling, entry, installation, newer_than=newer_than, within=within)
    if isinstance(found, InstallationRefusal):
        return found
    own_token = cell_of(credential, calling.kind).uses == "own_token"
    made_for = calling.proof.digest if own_token else calling.principal.key
    return Given(found.token, expires_at=found.expires_at, obtained_at=found.obtained_at, made_for=made_for)
