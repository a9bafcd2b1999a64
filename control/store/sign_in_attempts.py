"""SQL of what happened at the door: noted step by step, the newest kept, read by the person or an admin.

Called by `control/sign_in/attempts.py`. It is for finding out why somebody could not sign in, and no trail: it may be
incomplete, and forgets.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from control.store.pool import Connection
from control.store.rows import columns_of, made, values_of
from control.store.statements import insert_into, listed
from core.identifiers import new_id

Step = Literal["challenge", "metadata", "registered", "authorised", "token", "first_call", "signed_in"]
MOST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAttempt:
    """What is noted of one step of somebody who signs in, or of a client that signs them in."""

    step: Step
    client: str
    """As it named itself."""
    gateway: str
    user_id: str | None
    address: str
    reason: str
    """Why it failed; '' where it worked."""
    cure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt(NewAttempt):
    """One step of somebody who signs in, as it was noted."""

    id: str
    at: datetime


_NEW: Final = columns_of(NewAttempt)
_COLUMNS: Final = columns_of(Attempt)
_INSERT: Final = insert_into("sign_in_attempts", _NEW)


async def insert(connection: Connection, attempt: NewAttempt) -> None:
    """Keep it, and forget the oldest beyond the most that are kept."""
    await connection.execute(_INSERT, new_id(), *values_of(attempt, _NEW))
    await connection.execute(
        """delete from sign_in_attempts where id in (
               select id from sign_in_attempts order by id desc offset $1 for update skip locked)""",
        MOST,
    )


async def page(
    connection: Connection, *, limit: int, before_id: str | None, user_id: str | None = None
) -> list[Attempt]:
    """The newest first, below `before_id` (identifiers rise with time); one person's, or all."""
    rows = await connection.fetch(
        f"""select {listed(_COLUMNS)} from sign_in_attempts
            where ($1::uuid is null or id < $1) and ($2::uuid is null or user_id = $2)
            order by id desc limit $3""",
        before_id, user_id, limit,
    )  # fmt: skip
    return [made(Attempt, row) for row in rows]
