"""SQL that finds what a gateway could show: the tools of all entries that a person sees, each with its assignments.

Called by the tool picker of a gateway's page. What is picked is written by `control/changes/assignments.py`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from control.registry.entry_tool import ToolKind, ToolState
from control.store.pool import Connection
from control.store.rows import made
from control.store.statements import Place, behind, in_order, place_of

Picked = Literal["yes", "no"]
"""Whether only tools are wanted that the gateway shows, or only the others."""
_NAME: Final = "(e.slug || '/' || t.name)"
"""By entry, then by tool: a slug has no slash, so an entry's tools stand together."""
_SEEN: Final = """
    ($2 or e.visibility = 'organisation'
        or exists (select 1 from entry_teams m where m.entry_id = e.id and m.team_id = any($3::uuid[])))
"""
_SHOWN: Final = "exists (select 1 from assignments a where a.tool_id = t.id and a.gateway_id = $1)"
_IS_TOOL: Final = "t.kind not in ('resources', 'prompts')"
"""The others are all resources or all prompts of a server: picked one by one, and counted as no tool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAs:
    """One assignment of a tool on the gateway."""

    id: str
    exposed_name: str
    installation: str | None
    """Name of the one that it is pinned to; None: resolved at call time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolChoice:
    """A tool that can be picked, and under which names the gateway shows it already."""

    id: str
    kind: ToolKind
    name: str
    description: str
    """The server's own words, cut."""
    only_reads: bool
    """Whether its server says that it changes nothing. The server's word, not ours."""
    state: ToolState
    missing: bool
    """Its server no longer lists it."""
    entry_id: str
    entry_slug: str
    entry_name: str
    shown: tuple[ShownAs, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryCount:
    """How many tools an entry has, and how many of them the gateway shows; beside them its resources and prompts."""

    tools: int
    """Those that its server still lists."""
    shown: int
    offers: int
    """How many the gateway shows of: all its resources, all its prompts."""


async def page(
    connection: Connection,
    gateway_id: str,
    *,
    everything: bool,
    teams: Sequence[str],
    limit: int,
    after: Place | None,
    text: str = "",
    entry: str = "",
    picked: Picked | None = None,
) -> list[ToolChoice]:
    """Tools by entry and name, behind `after`. `everything`: of all entries; else of the organisation's and those of
    `teams`. `text`: a part of the tool's name, its description, or its entry's name or slug; `entry`: a slug.
    """
    rows = await connection.fetch(
        f"""with found as (
               select t.id from entry_tools t join entries e on e.id = t.entry_id
               where {_SEEN} and {behind(5, _NAME, "t.id")}
                 and ($7 = '' or strpos(lower(t.name), lower($7)) > 0 or strpos(lower(e.name), lower($7)) > 0
                      or strpos(e.slug, lower($7)) > 0
                      or strpos(lower(coalesce(t.definition ->> 'description', '')), lower($7)) > 0)
                 and ($8 = '' or e.slug = $8)
                 and ($9::text is null or {_SHOWN} = ($9 = 'yes'))
                 and (t.missing_since is null or {_SHOWN})
               {in_order(_NAME, "t.id")} limit $4)
           select t.id, t.kind, t.name, left(coalesce(t.definition ->> 'description', ''), 400) as description,
               coalesce(t.definition #> '{{annotations,readOnlyHint}}' = 'true'::jsonb, false) as only_reads,
               t.state, t.missing_since is not null as missing, t.entry_id, e.slug as entry_slug,
               e.name as entry_name, coalesce(own.shown, '[]'::jsonb) as shown
           from found join entry_tools t on t.id = found.id join entries e on e.id = t.entry_id
           left join lateral (
               select jsonb_agg(jsonb_build_object('id', a.id, 'exposed_name', a.exposed_name,
                                                   'installation', i.name) order by a.exposed_name) as shown
               from assignments a left join installations i on i.id = a.installation_id
               where a.tool_id = t.id and a.gateway_id = $1) own on true
           {in_order(_NAME, "t.id")}""",
        gateway_id, everything, list(teams), limit, *place_of(after), text, entry, picked,
    )  # fmt: skip
    return [made(ToolChoice, row) for row in rows]


async def counts(connection: Connection, gateway_id: str, entry_ids: Collection[str]) -> dict[str, EntryCount]:
    """Of each of these entries, how much there is to pick."""
    rows = await connection.fetch(
        f"""select t.entry_id, (count(*) filter (where t.missing_since is null and {_IS_TOOL}))::int as tools,
               (count(*) filter (where {_IS_TOOL} and {_SHOWN}))::int as shown,
               (count(*) filter (where not {_IS_TOOL} and {_SHOWN}))::int as offers
           from entry_tools t where t.entry_id = any($2::uuid[]) group by t.entry_id""",
        gateway_id, list(entry_ids),
    )  # fmt: skip
    return {row["entry_id"]: made(EntryCount, row) for row in rows}


async def without_tools(
    connection: Connection, *, everything: bool, teams: Sequence[str], limit: int
) -> list[tuple[str, str]]:
    """Entries that the person sees and that have no tools yet, by name: identifier and name."""
    rows = await connection.fetch(
        f"""select e.id, e.name from entries e
            where {_SEEN.replace("$2", "$1").replace("$3", "$2")}
              and not exists (select 1 from entry_tools t where t.entry_id = e.id)
            {in_order("e.name", "e.id")} limit $3""",
        everything, list(teams), limit,
    )  # fmt: skip
    return [(row["id"], row["name"]) for row in rows]


async def named(connection: Connection, tool_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Of these tools, the entry and the name, by identifier; those that are gone are not in it."""
    rows = await connection.fetch(
        "select id, entry_id, name from entry_tools where id = any($1::uuid[])", list(tool_ids)
    )
    return {row["id"]: (row["entry_id"], row["name"]) for row in rows}


async def of_entry(connection: Connection, gateway_id: str, entry_id: str) -> list[str]:
    """Identifiers of the assignments of an entry's tools on the gateway, and of its resources and prompts."""
    rows = await connection.fetch(
        """select a.id from assignments a join entry_tools t on t.id = a.tool_id
           where a.gateway_id = $1 and t.entry_id = $2 order by a.id""",
        gateway_id, entry_id,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def not_shown(connection: Connection, gateway_id: str, entry_id: str) -> list[str]:
    """Names of an entry's tools that its server still lists and that the gateway does not show yet."""
    rows = await connection.fetch(
        f"""select t.name from entry_tools t
           where t.entry_id = $2 and t.missing_since is null and {_IS_TOOL} and not {_SHOWN}
           order by t.name""",
        gateway_id, entry_id,
    )  # fmt: skip
    return [row["name"] for row in rows]
