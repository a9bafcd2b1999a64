"""SQL that reads accounts: what installations hold at the providers of their servers.

Written in `writes/accounts.py`. Tokens leave this file sealed only.
"""

from collections.abc import Collection, Sequence
from typing import Final

from control.registry.account import Account, NewAccount
from control.store.pool import Connection
from control.store.rows import columns_of, made
from control.store.statements import listed

COLUMNS: Final = columns_of(Account)
FIRST_VERSION: Final = "coalesce((select generation + 1 from server_states where installation_id = $1), 1)"
"""Of an account that an installation has not had: above all that its server was started with before, which counts the
versions of the one that it had then.
"""
_SELECT: Final = f"select {listed(COLUMNS)} from accounts "


async def one(connection: Connection, installation_id: str, *, lock: bool = False) -> Account | None:
    """The account of this installation; locked for a change."""
    row = await connection.fetchrow(
        _SELECT + "where installation_id = $1" + (" for update" if lock else ""), installation_id
    )
    return None if row is None else made(Account, row)


async def want_scopes(connection: Connection, installation_id: str, scopes: Sequence[str], most: int) -> None:
    """Keep what the account's server says that it needs besides, for the next sign-in; at most so many. It changes
    nothing that anybody was told, so it is written here.
    """
    await connection.execute(
        """update accounts set wanted_scopes = array(
               select scope from unnest(wanted_scopes || $2::text[]) with ordinality as wanted(scope, place)
               group by scope order by min(place) limit $3)
           where installation_id = $1 and not wanted_scopes @> $2::text[]""",
        installation_id, list(scopes), most,
    )  # fmt: skip


async def many(connection: Connection, installation_ids: Collection[str]) -> dict[str, Account]:
    """The accounts of these installations, by installation."""
    rows = await connection.fetch(_SELECT + "where installation_id = any($1::uuid[])", list(installation_ids))
    return {row["installation_id"]: made(Account, row) for row in rows}


async def held_elsewhere(connection: Connection, account: NewAccount) -> bool:
    """Whether an installation has this account of the provider: revoking one of its tokens may end that too."""
    found: bool = await connection.fetchval(
        "select account_held_elsewhere($1, $2, $3, $4, $5)",
        account.issuer, account.client_id, account.subject, account.account_name,
        "00000000-0000-0000-0000-000000000000",
    )  # fmt: skip
    return found
