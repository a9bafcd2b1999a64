"""SQL that counts what belongs to entries, and names the gateways that show them: for the console's pages.

Of installations those alone are counted that the caller may see. Written nowhere: these are answers about other rows.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from control.registry.access import Caller
from control.registry.gateway import Gateway
from control.store import gateways
from control.store.pool import Connection


@dataclass(frozen=True, slots=True)
class EntryCounts:
    """How much there is of one entry."""

    tools: int = 0
    """That its server still lists."""
    changed: int = 0
    """Of them, tools that are other ones than somebody has acknowledged."""
    quarantined: int = 0
    states: Mapping[str, int] = field(default_factory=dict)
    """Installations that the caller sees, by their state."""

    @property
    def installations(self) -> int:
        """All of them."""
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class ShowingGateway:
    """A gateway that shows tools of an entry, or its resources or prompts."""

    gateway: Gateway
    assigned: int
    """Tools and offers of the entry on it."""
    offers: int
    """Of them, those that are all resources or all prompts of the server."""
    pinned: int
    """Of the assigned, those that are pinned to one installation."""

    @property
    def tools(self) -> int:
        """Of the assigned, those that are called as tools."""
        return self.assigned - self.offers


async def of_entries(connection: Connection, entry_ids: Collection[str], caller: Caller) -> dict[str, EntryCounts]:
    """The counts of each of these entries, as the caller may know them."""
    tools = await connection.fetch(
        """select entry_id, count(*) filter (where missing_since is null) as listed,
               count(*) filter (where changed_at is not null) as changed,
               count(*) filter (where state = 'quarantined') as quarantined
           from entry_tools where entry_id = any($1::uuid[]) and kind not in ('resources', 'prompts')
           group by entry_id""",
        list(entry_ids),
    )
    installed = await connection.fetch(
        """select i.entry_id, i.state, count(*) as number from installations i
           where i.entry_id = any($1::uuid[])
             and ($2 or i.scope = 'organisation' or i.user_id = $3::uuid or i.team_id = any($4::uuid[]))
           group by i.entry_id, i.state""",
        list(entry_ids), caller.may("installation:read"), caller.user_id or None,
        caller.teams_with("installation:read"),
    )  # fmt: skip
    states: dict[str, dict[str, int]] = {one: {} for one in entry_ids}
    for row in installed:
        states[row["entry_id"]][row["state"]] = row["number"]
    counted = {one: EntryCounts(states=found) for one, found in states.items()}
    for row in tools:
        one = row["entry_id"]
        counted[one] = EntryCounts(row["listed"], row["changed"], row["quarantined"], states[one])
    return counted


async def gateways_showing(
    connection: Connection, entry_id: str, installation_id: str | None = None
) -> list[ShowingGateway]:
    """The gateways that show tools of the entry, by name; `pinned` counts those that are pinned to the installation,
    or (None) to any.
    """
    rows = await connection.fetch(
        """select a.gateway_id, count(*) as assigned,
               count(*) filter (where t.kind in ('resources', 'prompts')) as offers,
               count(*) filter (where a.installation_id is not null
                                and ($2::uuid is null or a.installation_id = $2)) as pinned,
               count(*) filter (where a.installation_id is null) as resolved
           from assignments a join entry_tools t on t.id = a.tool_id
           where t.entry_id = $1 group by a.gateway_id""",
        entry_id, installation_id,
    )  # fmt: skip
    found = await gateways.many(connection, [row["gateway_id"] for row in rows])
    showing = [
        ShowingGateway(found[row["gateway_id"]], row["assigned"], row["offers"], row["pinned"])
        for row in rows
        if row["gateway_id"] in found and (installation_id is None or row["pinned"] or row["resolved"])
    ]
    return sorted(showing, key=lambda one: (one.gateway.name.lower(), one.gateway.id))
