"""What a discovery saw of an installation's server, kept. No person decides it, so no audit record is left.

Called by `control/discovery/`. Between the question and here the entry or the installation may have changed: then the
answer is about something else, and nothing is kept.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from control.changes.write import Write
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.tool_definitions import FoundTool
from control.store import entries, installations
from control.store.writes import installations as rows
from control.store.writes import tools


async def keep_server(
    write: Write, entry: Entry, asked: Installation, facts: Mapping[str, Any], found: Sequence[FoundTool]
) -> bool:
    """The installation is ready, and its entry has these tools; False where what was `asked` changed meanwhile."""
    now = await _still(write, entry, asked)
    if now is None:
        return False
    await rows.set_server(write, now.id, facts)
    news = await tools.store(write, entry.id, found)
    # Workers may be wrong about what it speaks, or leave it alone: it is the installation that they ask about again.
    shown_by = await entries.gateways_of(write.connection, entry.id) if news else ()
    await write.announce(installations=[now.id], gateways=shown_by)
    write.observed()
    return True


async def keep_failure(
    write: Write, entry: Entry, asked: Installation, state: Literal["unreachable", "needs_sign_in"], reason: str
) -> bool:
    """The installation is in this state; what its entry knows of tools stays. False as in `keep_server`."""
    now = await _still(write, entry, asked)
    if now is None:
        return False
    await rows.set_state(write, now.id, state, reason)
    # Whoever holds a copy of it would go on with a credential that it must not use any more. Of other states
    # proxies need not hear: they find out by themselves whether a server can be reached.
    news = state == "needs_sign_in" and now.state != state
    await write.announce(installations=[now.id] if news else ())
    write.observed()
    return True


async def _still(write: Write, entry: Entry, asked: Installation) -> Installation | None:
    """The installation, if what was asked is what there still is; locks both, the entry first as all writers do."""
    now_entry = await entries.one(write.connection, entry.id, lock=True)
    now = await installations.one(write.connection, asked.id, lock=True)
    same = (
        now_entry is not None
        and now is not None
        and now_entry.version == entry.version
        and now.credential_version == asked.credential_version
        and now.protocol == asked.protocol
    )
    return now if same else None
