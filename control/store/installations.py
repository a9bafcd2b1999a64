"""SQL that reads installations: an entry, filled in for a person, a team, the organisation or a service account.

Written in `writes/installations.py`. Secret values leave this file sealed only.
"""

from collections.abc import Collection, Sequence
from typing import Final

from control.registry.access import Caller
from control.registry.counted import counted
from control.registry.installation import Installation, InstallationState
from control.registry.owner import Owner, Scope, owner_columns, owner_of
from control.store.pool import Connection, Row
from control.store.rows import made
from control.store.statements import Place, behind, in_order, place_of

_OWNER: Final = "coalesce(u.email, t.name, c.name, 'organisation')"
_OWNERS: Final = """
    left join users u on u.id = i.user_id left join teams t on t.id = i.team_id
    left join oauth_clients c on c.id = i.oauth_client_id
"""
_SELECT: Final = f"""
    select i.*, e.slug as entry_slug, e.name as entry_name, e.kind as entry_kind,
        e.version as entry_version, {_OWNER} as owner_name,
        e.discovery_installation_id is not distinct from i.id as discovers,
        (select to_jsonb(s) from server_states s where s.installation_id = i.id) as server_state,
        (select to_jsonb(u) from idle_servers u where u.installation_id = i.id) as idleness
    from installations i join entries e on e.id = i.entry_id {_OWNERS}
"""
_VISIBLE: Final = """
    ($1 or i.scope = 'organisation' or i.user_id = $2::uuid or i.team_id = any($3::uuid[]))
"""
_ADDRESSES: Final = f"""
    (select lower(e.slug || '@' || whose)
     from unnest(array[{_OWNER}, u.name, case when i.scope = 'organisation' then 'organization' end]) as whose)
"""
"""ENTRY@OWNER: the entry's slug, and the team's or the client's name, the person's email or name, or either spelling
of the organisation."""
_FIT: Final = f"""
    case when i.is_default and lower($9) in {_ADDRESSES} then 1
         when right(lower($9), length(i.name) + 1) = lower('/' || i.name)
              and left(lower($9), -length(i.name) - 1) in {_ADDRESSES} then 1
         when lower($9) = lower(i.name) then 2 end
"""
"""How a name fits: 1, as an address, ENTRY@OWNER for the default and ENTRY@OWNER/NAME for each; 2, as its own name,
which counts where nothing has such an address; else null."""


def owned_by(number: int) -> str:
    """The condition that an installation `i` belongs to an owner, whose columns behind `scope` are three parameters,
    from this number.
    """
    return (
        f"i.user_id is not distinct from ${number}::uuid and i.team_id is not distinct from ${number + 1}::uuid "
        f"and i.oauth_client_id is not distinct from ${number + 2}::uuid"
    )


async def one(connection: Connection, installation_id: str, *, lock: bool = False) -> Installation | None:
    """The installation with this identifier."""
    row = await connection.fetchrow(
        _SELECT + "where i.id = $1" + (" for update of i" if lock else ""), installation_id
    )
    return None if row is None else _made(row)


async def of_owner(connection: Connection, entry_id: str, owner: Owner) -> list[Installation]:
    """All installations of an entry that this owner has, the oldest first."""
    _, *columns = owner_columns(owner)
    rows = await connection.fetch(
        _SELECT + f"where i.entry_id = $1 and {owned_by(2)} order by i.created_at, i.id", entry_id, *columns
    )
    return [_made(row) for row in rows]


async def lock_of_entry(connection: Connection, entry_id: str) -> list[Installation]:
    """All installations of an entry, in the order of identifiers, locked."""
    rows = await connection.fetch(_SELECT + "where i.entry_id = $1 order by i.id for update of i", entry_id)
    return [_made(row) for row in rows]


async def many(connection: Connection, installation_ids: Collection[str]) -> list[Installation]:
    """The installations with these identifiers."""
    rows = await connection.fetch(_SELECT + "where i.id = any($1::uuid[])", list(installation_ids))
    return [_made(row) for row in rows]


async def ids_of(connection: Connection, entry_ids: Collection[str]) -> list[str]:
    """Identifiers of all installations of these entries, in their order."""
    rows = await connection.fetch(
        "select id from installations where entry_id = any($1::uuid[]) order by id", list(entry_ids)
    )
    return [row["id"] for row in rows]


async def candidates(
    connection: Connection, entry_ids: Collection[str], owners: Collection[Owner]
) -> list[Installation]:
    """Installations of these entries that may serve any of some callers: the defaults of these owners."""
    columns = [owner_columns(one) for one in owners]
    rows = await connection.fetch(
        _SELECT
        + """where i.entry_id = any($1::uuid[]) and i.is_default
             and (i.user_id = any($2::uuid[]) or i.team_id = any($3::uuid[]) or i.oauth_client_id = any($4::uuid[])
                  or (i.scope = 'organisation' and $5))""",
        list(entry_ids),
        [one.user_id for one in columns if one.user_id is not None],
        [one.team_id for one in columns if one.team_id is not None],
        [one.oauth_client_id for one in columns if one.oauth_client_id is not None],
        any(one.scope == "organisation" for one in columns),
    )
    return [_made(row) for row in rows]


async def page(
    connection: Connection,
    *,
    limit: int,
    after: Place | None,
    everything: bool,
    user_id: str | None,
    teams: Sequence[str],
    entry_id: str | None = None,
    scope: Scope | None = None,
    name: str | None = None,
    state: InstallationState | None = None,
) -> list[Installation]:
    """Installations by name, behind `after`. `everything`: all; else the organisation's, the user's and those of
    `teams`. `name`: those that go by it, by their address or else by their own name.
    """
    rows = await connection.fetch(
        f"""with fitting as (
                select i.id, {_FIT} as fit from installations i join entries e on e.id = i.entry_id {_OWNERS}
                where $9::text is not null and {_VISIBLE} and ($7::uuid is null or i.entry_id = $7)
            )
            {_SELECT}
            where {_VISIBLE} and {behind(5, "i.name", "i.id")}
             and ($7::uuid is null or i.entry_id = $7)
             and ($8::text is null or i.scope = $8)
             and ($9::text is null or i.id in (select id from fitting where fit = (select min(fit) from fitting)))
             and ($10::text is null or i.state = $10)
           {in_order("i.name", "i.id")} limit $4""",
        everything, user_id, list(teams), limit, *place_of(after), entry_id, scope, name, state,
    )  # fmt: skip
    return [_made(row) for row in rows]


async def gateways_of(connection: Connection, installation_id: str) -> list[str]:
    """Gateways with a tool that is pinned to it."""
    rows = await connection.fetch(
        "select distinct gateway_id from assignments where installation_id = $1", installation_id
    )
    return [row["gateway_id"] for row in rows]


async def of_entry_in_words(connection: Connection, entry_id: str, caller: Caller, limit: int = 20) -> list[str]:
    """Installations of an entry, for a sentence: by name those that the caller may see, the others counted."""
    rows = await connection.fetch(
        f"""select name, scope, count(*) as number from (
                select case when {_VISIBLE} then i.name end as name, i.scope
                from installations i where i.entry_id = $4
            ) seen group by name, scope order by name is null, lower(name), scope limit $5""",
        caller.may("installation:read"), caller.user_id or None, caller.teams_with("installation:read"),
        entry_id, limit,
    )  # fmt: skip
    return [_in_words(row["number"], row["scope"], row["name"]) for row in rows]


def _in_words(number: int, scope: str, name: str | None) -> str:
    if name is None:
        return f"{counted(number, f'{scope} installation')} of others"
    return f"the {scope} installation {name!r}"


def _made(row: Row) -> Installation:
    return made(Installation, row, owner=owner_of(row["user_id"], row["team_id"], row["oauth_client_id"]))
