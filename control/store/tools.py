"""SQL of the tools that entries keep, as they were last discovered."""

from collections.abc import Iterable, Sequence
from typing import Final

from control.registry.tool_definitions import FoundTool
from control.store.pool import Connection, Row
from core.identifiers import new_id

_UPSERT: Final = """
    insert into entry_tools (id, entry_id, kind, upstream_name, name, definition, definition_sha256)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (entry_id, kind, upstream_name) do update set
        name = excluded.name, definition = excluded.definition, definition_sha256 = excluded.definition_sha256,
        discovered_at = now(), missing_since = null,
        version = entry_tools.version
            + (entry_tools.definition_sha256 <> excluded.definition_sha256
               or entry_tools.missing_since is not null)::int
"""


async def store(connection: Connection, entry_id: str, tools: Sequence[FoundTool]) -> bool:
    """Keep what a discovery found, and whether any definition is new or another one than before.

    States set by people stay. Tools that were not found are marked missing, never deleted: assignments hang on
    them. The caller has locked the entry's row, so that two discoveries follow each other.
    """
    before = {
        (row["kind"], row["upstream_name"]): row["definition_sha256"]
        for row in await connection.fetch(
            "select kind, upstream_name, definition_sha256 from entry_tools where entry_id = $1", entry_id
        )
    }
    rows = [
        (new_id(), entry_id, tool.kind, tool.upstream_name, tool.name, tool.definition, tool.sha256) for tool in tools
    ]
    await connection.executemany(_UPSERT, rows)
    found = {(tool.kind, tool.upstream_name) for tool in tools}
    await _mark_missing(connection, entry_id, found)
    return any(before.get((tool.kind, tool.upstream_name)) != tool.sha256 for tool in tools)


async def _mark_missing(connection: Connection, entry_id: str, found: Iterable[tuple[str, str]]) -> None:
    present = sorted(found)
    await connection.execute(
        """update entry_tools t set missing_since = now(), version = version + 1
           where entry_id = $1 and missing_since is null
             and not exists (select 1 from unnest($2::text[], $3::text[]) as f (kind, name)
                             where f.kind = t.kind and f.name = t.upstream_name)""",
        entry_id, [kind for kind, _ in present], [name for _, name in present],
    )  # fmt: skip


async def one(connection: Connection, entry_id: str, tool_id: str) -> Row | None:
    """The tool, if it is one of this entry."""
    return await connection.fetchrow("select * from entry_tools where entry_id = $1 and id = $2", entry_id, tool_id)


async def lock(connection: Connection, entry_id: str, tool_id: str) -> Row | None:
    """The same, locked until the end of the transaction."""
    return await connection.fetchrow(
        "select * from entry_tools where entry_id = $1 and id = $2 for update", entry_id, tool_id
    )


async def page(connection: Connection, entry_id: str, *, limit: int, after: str | None) -> list[Row]:
    """An entry's tools, oldest first, above `after`."""
    rows: list[Row] = await connection.fetch(
        """select * from entry_tools where entry_id = $1 and ($3::uuid is null or id > $3) order by id limit $2""",
        entry_id, limit, after,
    )  # fmt: skip
    return rows


async def named(connection: Connection, entry_id: str, names: Sequence[str]) -> list[Row]:
    """An entry's tools by their names; `*` means all that the server still lists. In the order of names."""
    rows: list[Row] = await connection.fetch(
        """select * from entry_tools
           where entry_id = $1 and (name = any($2::text[]) or ('*' = any($2::text[]) and missing_since is null))
           order by name, id""",
        entry_id, list(names),
    )  # fmt: skip
    return rows


async def set_state(connection: Connection, tool_id: str, state: str) -> None:
    """`active` or `quarantined`; touch the gateways that carry it in the same transaction."""
    await connection.execute("update entry_tools set state = $2, version = version + 1 where id = $1", tool_id, state)


async def gateways_of(connection: Connection, tool_id: str) -> list[str]:
    """Gateways on which the tool is assigned."""
    rows = await connection.fetch("select distinct gateway_id from assignments where tool_id = $1", tool_id)
    return [row["gateway_id"] for row in rows]
