"""SQL that reads registry entries: the templates that installations are made of, and who sees them.

Written in `writes/entries.py`. Writers lock the row first (`lock=True`), so that of two writers the second compares
its `If-Match` with what the first wrote.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from control.registry.credential import KINDS_FOR_ONE_CALLER
from control.registry.entry import Entry, reached_of
from control.registry.owner import Owner, owner_columns
from control.store.environments import POLICY_OF_ENTRY, held_by_policy
from control.store.installations import owned_by
from control.store.pool import Connection, Row
from control.store.rows import made
from control.store.statements import Place, behind, in_order, place_of

_SELECT: Final = f"""
    select e.*, array(select t.team_id from entry_teams t where t.entry_id = e.id order by t.team_id) as teams,
        {POLICY_OF_ENTRY} as policy
    from entries e
"""
REACHED: Final = ("kind", "url", "run")
"""Columns that say how an entry's server is reached."""
_FOR_ONE_CALLER: Final = ", ".join(f"'{kind}'" for kind in KINDS_FOR_ONE_CALLER)
IS_FOR_ONE_CALLER: Final = f"(e.credential ->> 'kind' in ({_FOR_ONE_CALLER}))"
"""Whether the server of an entry `e` gets another credential for each caller."""
_VISIBLE: Final = """
    ($1 or e.visibility = 'organisation'
        or exists (select 1 from entry_teams t where t.entry_id = e.id and t.team_id = any($2::uuid[])))
"""


async def one(connection: Connection, entry_id: str, *, lock: bool = False) -> Entry | None:
    """The entry with this identifier."""
    row = await connection.fetchrow(_SELECT + "where e.id = $1" + (" for update of e" if lock else ""), entry_id)
    return None if row is None else _made(row)


async def many(connection: Connection, entry_ids: Collection[str]) -> dict[str, Entry]:
    """The entries with these identifiers, by identifier."""
    rows = await connection.fetch(_SELECT + "where e.id = any($1::uuid[])", list(entry_ids))
    return {row["id"]: _made(row) for row in rows}


async def inside(connection: Connection, environment_ids: Collection[str]) -> list[Entry]:
    """All entries in these environments, by slug."""
    rows = await connection.fetch(
        _SELECT + "where e.environment_id = any($1::uuid[]) order by e.slug", list(environment_ids)
    )
    return [_made(row) for row in rows]


async def remote_in(connection: Connection, environment_ids: Collection[str]) -> list[Entry]:
    """The entries in these environments whose servers run elsewhere, by slug."""
    rows = await connection.fetch(
        _SELECT + "where e.environment_id = any($1::uuid[]) and e.kind = 'remote' order by e.slug",
        list(environment_ids),
    )
    return [_made(row) for row in rows]


async def by_slug(connection: Connection, slug: str) -> Entry | None:
    """The entry with this slug."""
    row = await connection.fetchrow(_SELECT + "where e.slug = $1", slug)
    return None if row is None else _made(row)


async def page(
    connection: Connection,
    *,
    limit: int,
    after: Place | None,
    everything: bool,
    teams: Sequence[str],
    label: Mapping[str, str] | None = None,
    text: str = "",
    credential: str | None = None,
    environment_id: str | None = None,
) -> list[Entry]:
    """Entries by name, behind `after`. `everything`: all; else those of the organisation and of `teams`.
    `credential`: only those with a credential of this kind. `environment_id`: only those that are there.
    """
    rows = await connection.fetch(
        _SELECT
        + "where"
        + _VISIBLE
        + f"""and {behind(4, "e.name", "e.id")}
             and ($6::jsonb is null or e.labels @> $6)
             and ($7 = '' or e.slug ilike '%' || $7 || '%' or e.name ilike '%' || $7 || '%')
             and ($8::text is null or e.credential ->> 'kind' = $8)
             and ($9::uuid is null or e.environment_id = $9)
           {in_order("e.name", "e.id")} limit $3""",
        everything, list(teams), limit, *place_of(after), dict(label) if label else None, _escaped(text), credential,
        environment_id,
    )  # fmt: skip
    return [_made(row) for row in rows]


async def discovered_by(connection: Connection, owner: Owner) -> list[str]:
    """Entries whose tools are found through an installation of this owner, locked, in the order of identifiers."""
    _, *columns = owner_columns(owner)
    rows = await connection.fetch(
        f"""select e.id from entries e join installations i on i.id = e.discovery_installation_id
           where {owned_by(1)} order by e.id for update of e""",
        *columns,
    )
    return [row["id"] for row in rows]


async def gateways_of(connection: Connection, entry_id: str, kinds: Collection[str] | None = None) -> list[str]:
    """Gateways on which one of its tools is assigned: their snapshots hold something of this entry. `kinds`: only of
    tools of these.
    """
    rows = await connection.fetch(
        """select distinct a.gateway_id from assignments a join entry_tools t on t.id = a.tool_id
           where t.entry_id = $1 and ($2::text[] is null or t.kind = any($2))""",
        entry_id, None if kinds is None else list(kinds),
    )  # fmt: skip
    return [row["gateway_id"] for row in rows]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _made(row: Row) -> Entry:
    return made(Entry, row, reached=reached_of(row), held=held_by_policy(row["policy"]))
