"""SQL that reads the tools that entries keep, as they were last discovered. Written in `writes/tools.py`."""

from collections.abc import Sequence

from control.registry.entry_tool import EntryTool
from control.store.pool import Connection
from control.store.rows import made
from control.store.statements import Place, behind, in_order, place_of


async def one(connection: Connection, entry_id: str, tool_id: str, *, lock: bool = False) -> EntryTool | None:
    """The tool, if it is one of this entry; locked for a change."""
    row = await connection.fetchrow(
        "select * from entry_tools where entry_id = $1 and id = $2" + (" for update" if lock else ""),
        entry_id,
        tool_id,
    )
    return None if row is None else made(EntryTool, row)


async def page(connection: Connection, entry_id: str, *, limit: int, after: Place | None) -> list[EntryTool]:
    """An entry's tools by name, behind `after`."""
    rows = await connection.fetch(
        f"""select * from entry_tools where entry_id = $1 and {behind(3, "name", "id")}
            {in_order("name", "id")} limit $2""",
        entry_id, limit, *place_of(after),
    )  # fmt: skip
    return [made(EntryTool, row) for row in rows]


async def named(connection: Connection, entry_id: str, names: Sequence[str]) -> list[EntryTool]:
    """An entry's tools by our names or the server's; `*` means all tools that it still lists, which
    offers are not. In the order of names.
    """
    rows = await connection.fetch(
        """select * from entry_tools
           where entry_id = $1 and (name = any($2::text[]) or upstream_name = any($2::text[])
                                    or ('*' = any($2::text[]) and missing_since is null
                                        and kind not in ('resources', 'prompts')))
           order by name, id""",
        entry_id, list(names),
    )  # fmt: skip
    return [made(EntryTool, row) for row in rows]


async def gateways_of(connection: Connection, tool_id: str) -> list[str]:
    """Gateways on which the tool is assigned."""
    rows = await connection.fetch("select distinct gateway_id from assignments where tool_id = $1", tool_id)
    return [row["gateway_id"] for row in rows]
