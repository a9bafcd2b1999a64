"""SQL that counts what a deployment holds, for `archway status`."""

from typing import Final

from control.store.pool import Connection

_COUNTS: Final = """
    select (select count(*) from users where disabled_at is null) as users,
        (select count(*) from teams) as teams,
        (select count(*) from tokens
         where revoked_at is null and (expires_at is null or expires_at > now())) as tokens,
        (select count(*) from entries) as entries,
        (select count(*) from installations) as installations,
        (select count(*) from installations where state = 'ready') as installations_ready,
        (select count(*) from gateways) as gateways,
        (select count(*) from assignments) as assignments
"""


async def counts(connection: Connection) -> dict[str, int]:
    """How many there are of each: of users the enabled ones, of tokens those that are still good."""
    return dict(await connection.fetchrow(_COUNTS))
