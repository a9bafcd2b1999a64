"""How servers that we run do, kept as their runtime reports it; and that somebody wants one restarted.

Called by `control/discovery/server_reports.py`, for whichever runtime there is. A report of an older generation never
replaces one of a newer: the two may come from two replicas, the slower of which knows less. Proxies hear of what they
remember: that a server answers or does not, that it is at another address, and that it is another process now, whose
predecessor took its sessions along. Where a package of which the entry names no version has come to another one than
before, the audit trail says so.
"""

from dataclasses import replace
from typing import Final

from control.changes import idle_servers
from control.changes.installations import locked
from control.changes.refusals import NotNow
from control.changes.write import Write
from control.registry.installation import Installation
from control.registry.packages import unpinned_package
from control.registry.resolved_packages import other_versions
from control.registry.self_hosted import SelfHosted
from control.registry.server_causes import CAUSES
from control.registry.server_state import LONGEST_MESSAGE, ServerState, same_but_for_time
from control.store import entries, environments, installations, server_states
from control.store import idle_servers as idle_rows
from control.store.standing_for_entries import somebody_stands
from control.store.writes import server_states as rows

_CUT: Final = "..."


async def keep(write: Write, reported: ServerState) -> bool:
    """Keep what a runtime reported. False where nothing was kept: it was seen of an older generation, it is what was
    known, the server is to be asleep, or the installation is gone.
    """
    state = replace(reported, message=_short(reported.message))
    # Of the installation first, as all writers do: one that is being deleted takes its state along.
    found = await installations.one(write.connection, state.installation_id, lock=True)
    if found is None:
        return False
    idleness = await idle_rows.lock(write.connection, state.installation_id) if state.answers else None
    before = await server_states.one(write.connection, state.installation_id)
    if idleness is not None and idleness.asleep_since is not None and before is not None and before.phase == "asleep":
        return False  # it has not been ended yet, and nobody is to call it
    if before is not None and before.place == state.place and state.generation < before.generation:
        return False
    if before is not None and before.place == state.place and state.resolved is None and state.phase != "ready":
        state = replace(state, resolved=before.resolved)  # it says what it came to when it answers
    if before is not None and same_but_for_time(before, state):
        return False
    await rows.put(write, state)
    news = [state.installation_id]
    if state.answers and (before is None or not before.answers or _is_another_process(before, state)):
        await write.announce(installations_over=news)
    elif before is not None and before.answers and not state.answers:
        await write.announce(installations=news)
    else:
        await write.announce()
    was, now = other_versions(before, state)
    if was and unpinned_package(await _command(write, found)):
        name = state.installation_id
        await write.record("update", "installation", name, {"packages": was}, {"packages": now})
    write.observed()
    return True


async def asked(write: Write, installation_id: str, generation: int) -> None:
    """The server of this generation was asked what it offers, and what it said is kept."""
    await rows.asked(write, installation_id, generation)
    await write.announce()
    write.observed()


async def restart(write: Write, installation_id: str) -> None:
    """Have the installation's server restarted. NotThere; NotAllowed; NotNow where Archway does not run it, or starts
    nothing of it before somebody stands for its entry.
    """
    found = await locked(write, installation_id, "installation:update")
    refuse_remote(found)
    await _refuse_where_nobody_stands(write, found)
    await rows.restart(write, installation_id)
    if found.idleness is not None:
        _ = await idle_servers.use(write, installation_id)
    await write.announce()  # proxies hear of it when the server goes
    wanted = found.restarts_wanted
    await write.record(
        "update", "installation", installation_id, {"restarts_wanted": wanted}, {"restarts_wanted": wanted + 1}
    )


def refuse_remote(found: Installation) -> None:
    """Raise NotNow for an installation whose server runs elsewhere."""
    if not found.is_ours:
        raise NotNow(f"The server of {found.address} is not run by Archway, but wherever its URL leads.")


async def _refuse_where_nobody_stands(write: Write, found: Installation) -> None:
    entry = await entries.one(write.connection, found.entry_id)
    if entry is None or not entry.environment_id:
        return
    where = await environments.one(write.connection, entry.environment_id)
    if not await somebody_stands(write.connection, entry, where):
        told = CAUSES["not_permitted"]
        raise NotNow(f"The server of {found.address} is not started again. {told.sentence} {told.cure}")


async def _command(write: Write, installation: Installation) -> tuple[str, ...]:
    """What its entry runs; () where that is elsewhere by now."""
    entry = await entries.one(write.connection, installation.entry_id)
    return entry.reached.command if entry is not None and isinstance(entry.reached, SelfHosted) else ()


def _is_another_process(before: ServerState, after: ServerState) -> bool:
    """Whether what answers now cannot know the sessions of what answered before."""
    return (before.endpoint, before.generation, before.restarts) != (after.endpoint, after.generation, after.restarts)


def _short(message: str) -> str:
    """jsonb and text take no U+0000, and a terminal should take no control marks."""
    clean = "".join(char if char.isprintable() or char == "\n" else " " for char in message[: LONGEST_MESSAGE + 1])
    return clean if len(clean) <= LONGEST_MESSAGE else clean[: LONGEST_MESSAGE - len(_CUT)] + _CUT
