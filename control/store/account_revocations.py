"""SQL for tokens that providers are still to be told of.

Rows come by a trigger of the schema wherever an account goes (`migrations/0021_account_revocations.sql`), and from
sign-ins that were not ended. Written here, since nobody decides it: `control/accounts/revocations.py` takes them.
"""

from datetime import timedelta
from typing import Final

from control.registry.account_revocation import NewRevocation, Revocation
from control.store.pool import Connection
from control.store.rows import columns_of, made, values_of
from control.store.statements import listed

_GIVEN: Final = columns_of(NewRevocation)
_COLUMNS: Final = columns_of(Revocation)


async def add(connection: Connection, wanted: NewRevocation) -> None:
    """Queue the tokens of a sign-in that did not become an account."""
    await connection.execute(
        f"""insert into account_revocations ({listed(_GIVEN)})
            values ({", ".join(f"${number + 1}" for number in range(len(_GIVEN)))})""",
        *values_of(wanted, _GIVEN),
    )


async def claim(connection: Connection, limit: int, again_after: timedelta) -> list[Revocation]:
    """Some that are due, for whoever asks to try now; nobody else has them before their next turn, which is later
    each time, an hour at most.
    """
    rows = await connection.fetch(
        f"""update account_revocations set tries = tries + 1,
                next_at = now() + least($2::interval * power(2, least(tries, 10)), interval '1 hour')
            where id in (select id from account_revocations where next_at <= now() order by next_at limit $1
                         for update skip locked)
            returning {listed(_COLUMNS)}""",
        limit, again_after,
    )  # fmt: skip
    return [made(Revocation, row) for row in rows]


async def done(connection: Connection, revocation_id: str) -> None:
    """The provider was told, or is given up."""
    await connection.execute("delete from account_revocations where id = $1", revocation_id)
