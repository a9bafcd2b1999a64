"""SQL that reads passwords' hashes: of a person, and of whoever has the address that was typed.

Written in `writes/passwords.py`.
"""

from typing import Final

from control.registry.password import Claimed, KeptPassword
from control.store.pool import Connection
from control.store.rows import columns_of, made
from control.store.statements import listed

_SELECT: Final = f"select {listed(columns_of(KeptPassword))} from passwords "


async def of_user(connection: Connection, user_id: str) -> KeptPassword | None:
    """The person's password, None where they have none."""
    row = await connection.fetchrow(_SELECT + "where user_id = $1", user_id)
    return None if row is None else made(KeptPassword, row)


async def claimed(connection: Connection, email: str) -> Claimed | None:
    """Whoever has this address, in whatever case; None where nobody has."""
    row = await connection.fetchrow(
        """select u.id as user_id, p.hash, u.disabled_at is not null as disabled
           from users u left join passwords p on p.user_id = u.id where lower(u.email) = lower($1)""",
        email,
    )
    return None if row is None else made(Claimed, row)
