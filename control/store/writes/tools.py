"""SQL that writes the tools of entries. Called by `control/changes/`, which locks a row before: the entry's for
what a discovery found, the tool's alone for its state.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Literal

from control.registry.discovery_news import ChangedTool, News
from control.registry.tool_definitions import PIN, FoundTool
from control.store.pool import Row
from control.store.writing import Writing
from core.identifiers import new_id

Key = tuple[str, str]
"""Kind, and the server's own name."""
_BEFORE: Final = """
    select kind, upstream_name, name, definition_sha256, pin, missing_since from entry_tools
    where entry_id = $1 order by name, id
"""
_UPSERT: Final = """
    insert into entry_tools (id, entry_id, kind, upstream_name, name, definition, definition_sha256, pin)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
    on conflict (entry_id, kind, upstream_name) do update set
        name = excluded.name, definition = excluded.definition, definition_sha256 = excluded.definition_sha256,
        pin = excluded.pin, discovered_at = now(), missing_since = null,
        version = entry_tools.version
            + (entry_tools.definition_sha256 <> excluded.definition_sha256
               or entry_tools.missing_since is not null)::int
"""
_CHANGED: Final = """
    update entry_tools set
        known_definition = case when known_sha256 = $4 then null else coalesce(known_definition, definition) end,
        changed_at = case when known_sha256 = $4 then null else now() end,
        known_sha256 = case when known_sha256 = $4 then null else coalesce(known_sha256, definition_sha256) end
    where entry_id = $1 and kind = $2 and upstream_name = $3
"""
"""Keeps the definition that people know; one that comes back to it is no change any more."""


async def store(writing: Writing, entry_id: str, tools: Sequence[FoundTool]) -> News:
    """Keep what a discovery found, and tell what of it is news.

    States set by people stay. Tools that were not found are marked missing, never deleted: assignments name
    them. The entry's row is locked, so that two discoveries follow each other.
    """
    before = {(row["kind"], row["upstream_name"]): row for row in await writing.connection.fetch(_BEFORE, entry_id)}
    found: dict[Key, FoundTool] = {(tool.kind, tool.upstream_name): tool for tool in tools}
    changed = await _changed(writing, entry_id, before, found)
    rows = [
        (new_id(), entry_id, tool.kind, tool.upstream_name, tool.name, tool.definition, tool.sha256, PIN)
        for tool in tools
    ]
    await writing.execute_many(_UPSERT, rows)
    await _mark_missing(writing, entry_id, found)
    fresh = [
        tool.name for key, tool in found.items() if key not in before or before[key]["missing_since"] is not None
    ]
    gone = [row["name"] for key, row in before.items() if key not in found and row["missing_since"] is None]
    shown_otherwise = any(
        (before[key]["definition_sha256"], before[key]["pin"]) != (tool.sha256, PIN) if key in before else True
        for key, tool in found.items()
    )
    return News(tuple(fresh), changed, tuple(gone), shown_otherwise=shown_otherwise)


async def _changed(
    writing: Writing, entry_id: str, before: Mapping[Key, Row], found: Mapping[Key, FoundTool]
) -> tuple[ChangedTool, ...]:
    """Mark what changed at the server; not what Archway pins or keeps otherwise than a version before."""
    others = [
        tool
        for key, tool in found.items()
        if key in before and not tool.is_as(before[key]["definition_sha256"], before[key]["pin"])
    ]
    known = {
        (row["kind"], row["upstream_name"]): row["definition"]
        for row in await writing.connection.fetch(
            """select t.kind, t.upstream_name, t.definition from entry_tools t
               join unnest($2::text[], $3::text[]) as f (kind, name) on f.kind = t.kind and f.name = t.upstream_name
               where t.entry_id = $1""",
            entry_id, [tool.kind for tool in others], [tool.upstream_name for tool in others],
        )
    }  # fmt: skip
    rows = [(entry_id, tool.kind, tool.upstream_name, tool.sha256) for tool in others]
    await writing.execute_many(_CHANGED, rows)
    return tuple(ChangedTool(tool.name, known[tool.kind, tool.upstream_name], tool.definition) for tool in others)


async def _mark_missing(writing: Writing, entry_id: str, found: Iterable[tuple[str, str]]) -> None:
    present = sorted(found)
    await writing.execute(
        """update entry_tools t set missing_since = now(), version = version + 1
           where entry_id = $1 and missing_since is null
             and not exists (select 1 from unnest($2::text[], $3::text[]) as f (kind, name)
                             where f.kind = t.kind and f.name = t.upstream_name)""",
        entry_id, [kind for kind, _ in present], [name for _, name in present],
    )  # fmt: skip


async def lists_changed(writing: Writing, entry_id: str, kinds: Collection[str]) -> None:
    """Its server says that what it lists of these kinds is something else now."""
    await writing.execute(
        "update entry_tools set list_revision = list_revision + 1 where entry_id = $1 and kind = any($2::text[])",
        entry_id, sorted(kinds),
    )  # fmt: skip


async def set_state(writing: Writing, tool_id: str, state: Literal["active", "quarantined"]) -> None:
    """What a person decided about a tool, and its next version."""
    await writing.execute("update entry_tools set state = $2, version = version + 1 where id = $1", tool_id, state)


async def acknowledge(writing: Writing, tool_id: str) -> None:
    """Somebody has looked at the tool as it is now."""
    await writing.execute(
        """update entry_tools set known_definition = null, known_sha256 = null, changed_at = null,
               version = version + 1 where id = $1""",
        tool_id,
    )
