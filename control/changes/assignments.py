"""Changes of assignments: which tools a gateway shows, under which names, and with whose installation.

Any number of an entry's tools is assigned at once. Those that the gateway shows already with the same pin stay as
they are, so that a request can be repeated. The gateway's row is locked before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from shlex import quote
from typing import Any, Final

from control.changes.gateways import managed
from control.changes.refusals import NotNow, NotThere, refuse_stale
from control.changes.served_environments import check_assigned
from control.changes.write import Write, there
from control.credentials.cure import to_give_again
from control.registry.actions import Action
from control.registry.assignment import Assignment, told_of_assignment
from control.registry.broken_rule import BrokenRule
from control.registry.entry import Entry
from control.registry.entry_tool import EntryTool
from control.registry.exposed_names import check_exposed_name, default_name, free_name
from control.registry.gateway import Gateway
from control.registry.gateway_access import check_pin
from control.registry.installation import Installation
from control.registry.installing import may_see
from control.registry.team_entries import check_shown_on
from control.registry.visibility import sees
from control.store import assignments, entries, gateways, installations, tools
from control.store.writes import assignments as rows
from core.identifiers import is_id

ALL: Final = "*"
MOST_ON_A_GATEWAY: Final = 1_000
"""More would make a list that no model reads, and a snapshot that is slow to send."""
MOST_BYTES: Final = 14 << 20
"""Of all definitions on a gateway: a snapshot, of 16 MiB at most, holds them with some room to grow."""
MOST_OF_A_NAME: Final = 10
"""Installations of one name that a refusal tells apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedTools:
    """Tools of one entry that a gateway is to show, as somebody asks for it."""

    entry: str
    """Its identifier or its slug."""
    tools: Sequence[str]
    """Names; `*` is all that the server still lists."""
    installation: str | None = None
    """Pinned to this one, by its identifier, its name or its address; None: resolved from the caller at each call."""
    prefix: bool = True
    """Whether exposed names begin with the entry's slug."""
    exposed_name: str | None = None
    """Instead of the default, for exactly one tool."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """What a gateway shows of the wanted tools."""

    assignments: tuple[Assignment, ...]
    """The new ones, and those that were there before."""
    created: frozenset[str]
    """Identifiers of the new ones."""


async def create(write: Write, gateway_id: str, wanted: WantedTools) -> Assigned:
    """Assign tools of one entry, by name or all of them; StoreConflict for an exposed name that is taken."""
    entry = await _entry(write, wanted.entry)
    gateway = await _locked_gateway(write, gateway_id, "assignment:create")
    if entry is None or not sees(write.actor, "entry:read", entry.visibility, entry.teams):
        raise BrokenRule("entry", "is not the id of an entry that you may see; list /entries")
    if entry.team_id is not None:
        check_shown_on(gateway, {entry.slug: entry.team_id}, "entry")
    await check_assigned(write, gateway, entry)
    wanted = replace(wanted, installation=await _pin(write, gateway, wanted.installation, entry.id))
    found = await _wanted_tools(write, entry, wanted)
    kept, created = await _assign(write, gateway_id, entry.slug, found, wanted)
    assigned = await assignments.listed(write.connection, [*kept, *created])
    await write.announce(gateways=[gateway_id])
    for one in assigned:
        if one.id in created:
            await write.record("create", "assignment", one.id, None, told_of_assignment(one))
    return Assigned(tuple(assigned), frozenset(created))


async def change(
    write: Write, gateway_id: str, assignment_id: str, wanted: Mapping[str, Any], version: int | None = None
) -> Assignment:
    """Give an assignment another `exposed_name` or `installation` (None: resolve at call time): what is named."""
    gateway = await _locked_gateway(write, gateway_id, "assignment:update")
    before = await _locked(write, gateway_id, assignment_id, version)
    name, pin = before.exposed_name, before.installation_id
    if "installation" in wanted:
        pin = await _pin(write, gateway, wanted["installation"], before.entry_id)
    if "exposed_name" in wanted:
        name = check_exposed_name(wanted["exposed_name"])
    await rows.update(write, assignment_id, name, pin)
    after = there(await assignments.one(write.connection, gateway_id, assignment_id))
    await write.announce(gateways=[gateway_id])
    await write.record("update", "assignment", assignment_id, told_of_assignment(before), told_of_assignment(after))
    return after


async def delete(write: Write, gateway_id: str, assignment_id: str, version: int | None = None) -> None:
    """Take a tool off the gateway."""
    await _locked_gateway(write, gateway_id, "assignment:delete")
    before = await _locked(write, gateway_id, assignment_id, version)
    await rows.delete(write, assignment_id)
    await write.announce(gateways=[gateway_id])
    await write.record("delete", "assignment", assignment_id, told_of_assignment(before), None)


async def _locked_gateway(write: Write, gateway_id: str, action: Action) -> Gateway:
    return managed(await gateways.one(write.connection, gateway_id, lock=True), write.actor, action)


async def _locked(write: Write, gateway_id: str, assignment_id: str, version: int | None) -> Assignment:
    found = await assignments.one(write.connection, gateway_id, assignment_id, lock=True)
    if found is None:
        raise NotThere("assignment")
    refuse_stale(version, found.version)
    return found


async def _entry(write: Write, name: str) -> Entry | None:
    """The entry, locked before the gateway: it moves to no environment meanwhile that the gateway does not serve."""
    if is_id(name):
        return await entries.one(write.connection, name, lock=True)
    found = await entries.by_slug(write.connection, name)
    return None if found is None else await entries.one(write.connection, found.id, lock=True)


async def _pin(write: Write, gateway: Gateway, name: str | None, entry_id: str) -> str | None:
    """The identifier of the installation that the actor means and may pin to; raises BrokenRule."""
    if name is None:
        return None
    found = await _installation(write, name, entry_id)
    if found is None or not may_see(write.actor, found.owner):
        what = "is not the id of an" if is_id(name) else "names no"
        raise BrokenRule("installation", f"{what} installation that you may see; list /installations")
    check_pin(write.actor, gateway, found, entry_id)
    return found.id


async def _installation(write: Write, name: str, entry_id: str) -> Installation | None:
    if is_id(name):
        return await installations.one(write.connection, name)
    actor = write.actor
    found = await installations.page(
        write.connection, limit=MOST_OF_A_NAME, after=None, everything=actor.may("installation:read"),
        user_id=actor.user_id or None, teams=actor.teams_with("installation:read"), name=name,
    )  # fmt: skip
    fitting = [one for one in found if one.entry_id == entry_id] or found
    if len(fitting) > 1:
        named = ", ".join(f"{one.address} ({one.id})" for one in fitting)
        raise BrokenRule("installation", f"names several: {named}; give one of these identifiers")
    return fitting[0] if fitting else None


async def _wanted_tools(write: Write, entry: Entry, wanted: WantedTools) -> list[EntryTool]:
    if wanted.exposed_name is not None and (len(wanted.tools) != 1 or ALL in wanted.tools):
        raise BrokenRule("exposed_name", "is allowed only with exactly one tool")
    found = await tools.named(write.connection, entry.id, wanted.tools)
    known = {name for one in found for name in (one.name, one.upstream_name)}
    if not found and not await tools.named(write.connection, entry.id, [ALL]):
        raise NotNow(f"{entry.slug} has no tools yet{await _why_no_tools(write, entry)}")
    for number, name in enumerate(wanted.tools):
        if name != ALL and name not in known:
            raise BrokenRule(f"tools[{number}]", f"is not a tool of {entry.slug}; list /entries/{entry.id}/tools")
    return found


async def _why_no_tools(write: Write, entry: Entry) -> str:
    """The rest of the sentence: which installation was asked in vain and what helps it, or that there is none."""
    actor = write.actor
    installed = await installations.page(
        write.connection, limit=MOST_OF_A_NAME, after=None, everything=actor.may("installation:read"),
        user_id=actor.user_id or None, teams=actor.teams_with("installation:read"), entry_id=entry.id,
    )  # fmt: skip
    failed = next((one for one in installed if one.state not in {"new", "ready"}), None)
    if failed is None:
        if not installed:
            return ": install it, so that they can be discovered."
        return f": its server listed none. `archway installations discover {quote(installed[0].address)}` asks again."
    told = f": its installation {failed.address} is {failed.state}. {failed.state_reason}".rstrip()
    if failed.state != "unreachable":
        return f"{told} {to_give_again(entry, failed)}"
    return f"{told} When that is mended: `archway installations discover {quote(failed.address)}`"


async def _assign(
    write: Write, gateway_id: str, slug: str, found: Sequence[EntryTool], wanted: WantedTools
) -> tuple[list[str], set[str]]:
    """Identifiers of those that were there before, and of those that are new."""
    present = await assignments.of_gateway(write.connection, gateway_id)
    taken = {one.exposed_name for one in present}
    same = {(one.tool_id, one.installation_id): one.id for one in present}
    kept, created = [], set()
    for tool in found:
        earlier = same.get((tool.id, wanted.installation))
        if earlier is not None and wanted.exposed_name is None:
            kept.append(earlier)
            continue
        name = _name(slug, tool.name, wanted, taken)
        taken.add(name)
        created.add(await rows.insert(write, gateway_id, tool.id, name, wanted.installation))
    if len(taken) > MOST_ON_A_GATEWAY:
        raise NotNow(f"A gateway shows at most {MOST_ON_A_GATEWAY} tools; put some on another gateway.")
    size = await assignments.definition_bytes(write.connection, gateway_id) if created else 0
    if size > MOST_BYTES:
        words = f"The definitions on this gateway would have {size} bytes; at most {MOST_BYTES} are allowed."
        raise NotNow(f"{words} Put some of its tools on another gateway.")
    return kept, created


def _name(slug: str, tool: str, wanted: WantedTools, taken: set[str]) -> str:
    if wanted.exposed_name is not None:
        return check_exposed_name(wanted.exposed_name)
    return free_name(default_name(slug, tool, prefix=wanted.prefix), taken, slug, tool, wanted.installation or "")
