"""SQL for clients that Archway registered at providers of servers.

Written here, since nobody decides it: a client is registered when somebody is to be sent to its provider first. One
is never changed, since accounts are refreshed by it; where its secret has ended, another takes its place.
"""

from typing import Final

from control.registry.upstream_client import RegisteredClient
from control.store.pool import Connection
from control.store.rows import columns_of, made, values_of
from control.store.statements import listed

_COLUMNS: Final = columns_of(RegisteredClient)
_SELECT: Final = f"select {listed(_COLUMNS)} from upstream_clients "


async def living(connection: Connection, entry_id: str, issuer: str, redirect_uri: str) -> RegisteredClient | None:
    """The client of this entry at this issuer, if its secret has a minute left at least."""
    row = await connection.fetchrow(
        _SELECT
        + """where entry_id = $1 and issuer = $2 and redirect_uri = $3
             and (secret_expires_at is null or secret_expires_at > now() + interval '1 minute')""",
        entry_id, issuer, redirect_uri,
    )  # fmt: skip
    return None if row is None else made(RegisteredClient, row)


async def one(connection: Connection, client_pk: str) -> RegisteredClient | None:
    """The client with this identifier."""
    row = await connection.fetchrow(_SELECT + "where id = $1", client_pk)
    return None if row is None else made(RegisteredClient, row)


async def keep(connection: Connection, client: RegisteredClient, instead_of: str | None) -> RegisteredClient:
    """Keep a client that was registered just now, in place of one whose secret has ended or cannot be read
    (`instead_of`). Where two were registered at once, the first stays, and is returned. StoreConflict where the entry
    is gone.
    """
    await connection.execute(
        """delete from upstream_clients where entry_id = $1 and issuer = $2 and redirect_uri = $3
           and (id = $4 or secret_expires_at <= now() + interval '1 minute')""",
        client.entry_id, client.issuer, client.redirect_uri, instead_of,
    )  # fmt: skip
    row = await connection.fetchrow(
        f"""insert into upstream_clients ({listed(_COLUMNS)})
            values ({", ".join(f"${number + 1}" for number in range(len(_COLUMNS)))})
            on conflict (entry_id, issuer, redirect_uri) do update set issuer = excluded.issuer
            returning {listed(_COLUMNS)}""",
        *values_of(client, _COLUMNS),
    )
    return made(RegisteredClient, row)
