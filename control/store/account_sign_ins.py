"""SQL for sign-ins at providers of servers that are under way.

Written here, since to begin one changes nothing: what comes of it does (`control/changes/accounts.py`). Each is of
one person in one browser session, and answered once.
"""

from typing import Final

from control.registry.account_sign_in import LIFE, MOST_OF_ONE, AccountSignIn, NewAccountSignIn
from control.store.pool import Connection
from control.store.rows import columns_of, made, values_of
from control.store.statements import listed

_GIVEN: Final = columns_of(NewAccountSignIn)
_COLUMNS: Final = listed(columns_of(AccountSignIn))
_INSERT: Final = f"""
    insert into account_sign_ins (id, expires_at, {listed(_GIVEN)})
    values ($1, now() + $2::interval, {", ".join(f"${number + 3}" for number in range(len(_GIVEN)))})
"""
_THEIRS: Final = "user_id = $2 and session_id = $3 and expires_at > now()"


async def keep(connection: Connection, sign_in_id: str, begun: NewAccountSignIn) -> None:
    """Keep one until it comes back; of a person who has many, the oldest end."""
    await connection.execute(_INSERT, sign_in_id, LIFE, *values_of(begun, _GIVEN))
    await connection.execute(
        """update account_sign_ins set expires_at = now() where id in (
               select id from account_sign_ins where user_id = $1 and expires_at > now()
               order by id desc offset $2)""",
        begun.user_id, MOST_OF_ONE,
    )  # fmt: skip


async def answered(connection: Connection, state_digest: str, user_id: str, session_id: str) -> AccountSignIn | None:
    """The one that this answer is for, in the browser of the person who began it; it is answered by that. None: it is
    somebody else's, over, or was answered before.
    """
    row = await connection.fetchrow(
        f"""update account_sign_ins set returned_at = now(), expires_at = now() + $4::interval
            where state_digest = $1 and {_THEIRS} and returned_at is null returning {_COLUMNS}""",
        state_digest, user_id, session_id, LIFE,
    )  # fmt: skip
    return None if row is None else made(AccountSignIn, row)


async def of_state(connection: Connection, state_digest: str) -> AccountSignIn | None:
    """Whoever's it is: to say why it is not answered."""
    row = await connection.fetchrow(
        f"select {_COLUMNS} from account_sign_ins where state_digest = $1 and expires_at > now()", state_digest
    )
    return None if row is None else made(AccountSignIn, row)


async def keep_tokens(connection: Connection, sign_in_id: str, tokens: bytes) -> bool:
    """Keep what the provider gave; False where the sign-in has ended meanwhile."""
    return await connection.fetchval(
        "update account_sign_ins set tokens = $2 where id = $1 and expires_at > now() returning true",
        sign_in_id, tokens,
    ) is True  # fmt: skip


async def waiting(
    connection: Connection, sign_in_id: str, user_id: str, session_id: str, *, lock: bool = False
) -> AccountSignIn | None:
    """One of which the person has still to say whether the account is the right one; locked, to be ended."""
    row = await connection.fetchrow(
        f"select {_COLUMNS} from account_sign_ins where id = $1 and {_THEIRS} and tokens is not null"
        + (" for update" if lock else ""),
        sign_in_id, user_id, session_id,
    )  # fmt: skip
    return None if row is None else made(AccountSignIn, row)


async def end(connection: Connection, sign_in_id: str) -> None:
    """It is over."""
    await connection.execute("delete from account_sign_ins where id = $1", sign_in_id)


async def lock_over(connection: Connection, limit: int) -> list[AccountSignIn]:
    """Some whose time is over, locked; those that another replica has are passed over."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from account_sign_ins where expires_at <= now() order by expires_at limit $1
            for update skip locked""",
        limit,
    )
    return [made(AccountSignIn, row) for row in rows]
