"""What a server gets for one caller, where that is another for each of them: by the table, or why there is nothing.

Called by `usable.py`. A token that providers exchange comes of whoever is handed in as `ForCallers`; a token that is
passed on stays with the proxy, which has it. Leaves out everything that an installation holds.
"""

from dataclasses import dataclass, field
from math import ceil
from typing import Final

from control.credentials.calling import Calling
from control.credentials.for_caller import ForCallers
from control.credentials.kinds import passthrough
from control.credentials.whose import cell_of
from control.registry.credential import ForOneCaller, Passthrough
from control.registry.entry import Entry
from control.registry.installation import Installation
from core.resolve import InstallationRefusal

_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Given:
    """What a request carries for its caller."""

    token: str = field(default="", repr=False)
    """'' for none."""
    own: bool = False
    """The token that the caller came with, which the proxy puts into the request."""
    expires_at: float = 0.0
    """Unix seconds at which it ends; 0: never, or not known."""
    version: int = 0
    """Rises with each newer token of this caller: milliseconds, rounded up, at which it was obtained."""


NOTHING: Final = Given()


async def given_to(
    calling: Calling,
    entry: Entry,
    installation: Installation,
    for_callers: ForCallers | None,
    refused_version: int = 0,
    within: float = 0.0,
) -> Given | InstallationRefusal:
    """What this caller's requests carry. `refused_version`: the server has refused a token of this version, as
    `Given` has it; 0 where it has not. Waits `within` so many seconds for a provider; 0: the usual time.
    """
    credential = entry.credential
    assert isinstance(credential, ForOneCaller)
    cell = cell_of(credential, calling.kind)
    if cell.uses is None:
        return InstallationRefusal("not_allowed", f"{entry.name} {cell.refusal}.")
    if isinstance(credential, Passthrough):
        why = passthrough.against(credential, calling.audience)
        if why:
            return InstallationRefusal("not_allowed", f"{entry.name} {why}.")
        return Given(own=True, expires_at=calling.expires_at)
    if for_callers is None:
        return InstallationRefusal("not_allowed", f"{entry.name} cannot be used here: no tokens are exchanged.")
    found = await for_callers.token(calling, entry, installation, newer_than=refused_version / _MS, within=within)
    if isinstance(found, InstallationRefusal):
        return found
    return Given(found.token, expires_at=found.expires_at, version=ceil(found.obtained_at * _MS))
