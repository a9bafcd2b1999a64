"""SQL that writes the tools of entries. Called by `control/changes/`, which locks a row before: the entry's for
what a discovery found, the tool's alone for its state.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from control.registry.tool_definitions import PIN, FoundTool
from control.store.writing import Writing
from core.identifiers import new_id

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


async def store(writing: Writing, entry_id: str, tools: Sequence[FoundTool]) -> bool:
    """Keep what a discovery found, and whether gateways must hear of it: a definition is new, or shown otherwise.

    States set by people stay. Tools that were not found are marked missing, never deleted: assignments name
    them. The entry's row is locked, so that two discoveries follow each other.
    """
    before = {
        (row["kind"], row["upstream_name"]): (row["definition_sha256"], row["pin"])
        for row in await writing.connection.fetch(
            "select kind, upstream_name, definition_sha256, pin from entry_tools where entry_id = $1", entry_id
        )
    }
    rows = [
        (new_id(), entry_id, tool.kind, tool.upstream_name, tool.name, tool.definition, tool.sha256, PIN)
        for tool in tools
    ]
    await writing.execute_many(_UPSERT, rows)
    found = {(tool.kind, tool.upstream_name) for tool in tools}
    await _mark_missing(writing, entry_id, found)
    return any(before.get((tool.kind, tool.upstream_name)) != (tool.sha256, PIN) for tool in tools)


async def _mark_missing(writing: Writing, entry_id: str, found: Iterable[tuple[str, str]]) -> None:
    present = sorted(found)
    await writing.execute(
        """update entry_tools t set missing_since = now(), version = version + 1
           where entry_id = $1 and missing_since is null
             and not exists (select 1 from unnest($2::text[], $3::text[]) as f (kind, name)
                             where f.kind = t.kind and f.name = t.upstream_name)""",
        entry_id, [kind for kind, _ in present], [name for _, name in present],
    )  # fmt: skip


async def set_state(writing: Writing, tool_id: str, state: Literal["active", "quarantined"]) -> None:
    """What a person decided about a tool, and its next version."""
    await writing.execute("update entry_tools set state = $2, version = version + 1 where id = $1", tool_id, state)
