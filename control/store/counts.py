"""SQL that counts what a deployment holds, for `archway status`: all of it, or what one caller may see of it."""

from typing import Final

from control.registry.access import Caller
from control.store.pool import Connection

_INSTALLATIONS: Final = """
    select count(*) from installations
    where ($8 or scope = 'organisation' or user_id = $2 or team_id = any($9::uuid[]))
"""
_GATEWAY: Final = """
    (g.visibility = 'organisation' or g.owner_id = $2
     or (g.visibility = 'teams'
         and exists (select 1 from gateway_teams t where t.gateway_id = g.id and t.team_id = any($4))))
"""
_COUNTS: Final = f"""
    select (select count(*) from users where disabled_at is null and ($1 or id = $2::uuid)) as users,
        (select count(*) from teams where $3 or id = any($4::uuid[])) as teams,
        (select count(*) from tokens
         where revoked_at is null and (expires_at is null or expires_at > now())
             and ($5 or user_id = $2 or team_id = any($6::uuid[]))) as tokens,
        (select count(*) from entries e
         where $7 or e.visibility = 'organisation'
             or exists (select 1 from entry_teams t where t.entry_id = e.id and t.team_id = any($4))) as entries,
        ({_INSTALLATIONS}) as installations,
        ({_INSTALLATIONS} and state = 'ready') as installations_ready,
        (select count(*) from gateways g where $10 or {_GATEWAY}) as gateways,
        (select count(*) from assignments a join gateways g on g.id = a.gateway_id
         where $11 or {_GATEWAY}) as assignments
"""


async def counts(connection: Connection, caller: Caller) -> dict[str, int]:
    """How many there are of each: of users the enabled ones, of tokens those that are still good. Without
    `deployment:read` only of what the lists show to `caller`.
    """
    everything = caller.may("deployment:read")
    row = await connection.fetchrow(
        _COUNTS,
        everything or caller.may_for_some("user:list"), caller.user_id or None,
        everything or caller.may("team:read"), list(caller.teams),
        everything or caller.may("token:read"), caller.teams_with("token:read"),
        everything or caller.may("entry:read"),
        everything or caller.may("installation:read"), caller.teams_with("installation:read"),
        everything or caller.may("gateway:read"),
        everything or caller.may("assignment:read"),
    )  # fmt: skip
    return dict(row)
