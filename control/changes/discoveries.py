"""What a discovery saw of an installation's server, kept.

Called by `control/discovery/`. Between the question and here the entry or the installation may have changed: then the
answer is about something else, and nothing is kept. What it says of tools that is news leaves an audit record, of
whoever asked, or of the server where nobody did: what a server lists today is what models read tomorrow.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from control.changes.write import Write, there
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.moments import in_utc
from control.registry.tool_definitions import FoundTool
from control.store import entries, installations
from control.store.writes import entries as entry_rows
from control.store.writes import installations as rows
from control.store.writes import tools
from core.snapshot import OfferKind

FailedState = Literal["unreachable", "credential_refused", "needs_sign_in"]


async def keep_server(
    write: Write,
    entry: Entry,
    asked: Installation,
    facts: Mapping[str, Any],
    found: Sequence[FoundTool],
    *,
    heard: bool = False,
) -> bool:
    """The installation is ready, and its entry has these tools, if they are found through this one; False where what
    was `asked` changed meanwhile. `heard`: its server said that its lists have changed, and nobody doubts the rest.
    """
    now = await _still(write, entry, asked)
    if now is None:
        return False
    # Workers may be wrong about what it speaks, leave it alone, or remember that it was to be filled in again: it is
    # the installation that they ask about again. That costs its callers their sessions with a legacy server, which
    # one that only has another list need not lose.
    as_before = heard and now.state == "ready" and now.server.get("era") == facts.get("era")
    doubted = [] if as_before else [now.id]
    if not await _finds_tools(write, now):
        await rows.set_server(write, now.id, facts)
        await write.announce(installations=doubted)
        write.observed()
        return True
    news = await tools.store(write, entry.id, found)
    told = {name: facts[name] for name in ("tools", "rejected", "notes") if name in facts}
    by = {"at": in_utc(datetime.now(UTC)), "by": write.actor.name, "installation": now.address}
    await rows.set_server(write, now.id, {**facts, **news.names()})
    await entry_rows.set_discovery(write, entry.id, {**by, **told, **news.names()})
    changed = await entries.gateways_of(write.connection, entry.id) if news.shown_otherwise else ()
    await write.announce(installations=doubted, gateways=changed)
    if news:
        await write.record("discover", "entry", entry.id, None, {"installation": now.address, **news.recorded()})
    else:
        write.observed()
    return True


async def _finds_tools(write: Write, now: Installation) -> bool:
    """Whether the entry's tools are found through this installation: it takes the place of none, and of one whose
    credential is not good any more. Through several, a tool that one account sees and another does not would come and
    go.
    """
    if now.discovers:
        return True
    entry = there(await entries.one(write.connection, now.entry_id))
    through = entry.discovery_installation_id
    present = None if through is None else await installations.one(write.connection, through)
    if present is not None and present.state not in {"needs_sign_in", "credential_refused"}:
        return False
    await entry_rows.discover_through(write, entry.id, now.id)
    return True


async def keep_failure(write: Write, entry: Entry, asked: Installation, state: FailedState, reason: str) -> bool:
    """The installation is in this state; what its entry knows of tools stays. False where `asked` has changed."""
    now = await _still(write, entry, asked)
    if now is None:
        return False
    await rows.set_state(write, now.id, state, reason)
    # Whoever holds a copy of it would go on with a credential that it must not use any more. Of other states
    # proxies need not hear: they find out by themselves whether a server can be reached.
    news = (state == "needs_sign_in") != (now.state == "needs_sign_in")
    await write.announce(installations=[now.id] if news else ())
    write.observed()
    return True


async def lists_changed(write: Write, entry_id: str, kinds: Collection[OfferKind]) -> None:
    """The entry's server says that its resources or prompts are others now; so do the gateways that offer them."""
    _ = await entries.one(write.connection, entry_id, lock=True)
    await tools.lists_changed(write, entry_id, kinds)
    await write.announce(gateways=await entries.gateways_of(write.connection, entry_id, kinds))
    write.observed()


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
