"""SQL of what happened at the door: noted step by step, the newest kept, read by the person or an admin.

Called by `control/records/sign_in_notes.py`, which writes, and by whoever shows the notes. They are for finding out
why somebody could not sign in, and are no trail: they may be incomplete, and are forgotten. One at a time writes, so
that there are never more than the most. Equal notes within an hour are one that counts them. Where one must go, it is
the oldest of whoever has more than their share; then the oldest of the half, people who are known or strangers, that
has more than a half; so neither a flood from one network nor one from many pushes out what happened to people.
"""

from collections.abc import Iterable
from typing import Final

from control.registry.sign_in_attempt import Attempt, NewAttempt, Step
from control.store.pool import Connection
from control.store.rows import columns_of, made, values_of
from core.identifiers import new_id

MOST: Final = 200
SHARE: Final = 20
"""Of one person, or of one network of strangers, as long as others want the room."""
_LOCK: Final = 7_160_417
"""Of the advisory lock of whoever writes."""
_COLUMNS: Final = columns_of(NewAttempt)
_INSERT: Final = f"""
    with before as (
        delete from sign_in_attempts where same = $1 and at > now() - interval '1 hour' returning times, first_at
    )
    insert into sign_in_attempts (same, source, known, id, times, first_at, {", ".join(_COLUMNS)})
    values ($1, $2, $3, $4, $5 + (select coalesce(sum(times), 0) from before),
            (select coalesce(min(first_at), now()) from before),
            {", ".join(f"${number}" for number in range(6, 6 + len(_COLUMNS)))})
"""
_TRIM: Final = """
    delete from sign_in_attempts where id in (
        select id from (
            select *, row_number() over (partition by known order by beyond_share, id desc) > $1 / 2 as beyond_half
            from (
                select id, known,
                       row_number() over (partition by known, source order by id desc) > $2 as beyond_share
                from sign_in_attempts
            ) shared
        ) halved
        order by beyond_share, beyond_half, id desc offset $1
    )
"""


async def keep(connection: Connection, attempts: Iterable[tuple[NewAttempt, int]]) -> None:
    """Keep each so many times, and forget what is beyond the most; raises StoreUnavailable where others write
    for too long."""
    await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
    for attempt, times in attempts:
        values = values_of(attempt, _COLUMNS)
        await connection.execute(
            _INSERT, attempt.same, attempt.source, attempt.known, new_id(), times, *values
        )  # fmt: skip
    await connection.execute(_TRIM, MOST, SHARE)


async def page(
    connection: Connection,
    *,
    limit: int,
    before_id: str | None = None,
    user_id: str | None = None,
    step: Step | None = None,
    failed: bool | None = None,
    client: str | None = None,
    gateway: str | None = None,
) -> list[Attempt]:
    """The newest first, below `before_id` (identifiers rise with time); narrowed by the filters."""
    rows = await connection.fetch(
        """select a.*, coalesce(u.name, '') as user_name
           from sign_in_attempts a left join users u on u.id = a.user_id
           where ($1::uuid is null or a.id < $1) and ($2::uuid is null or a.user_id = $2)
             and ($3::text is null or a.step = $3) and ($4::bool is null or (a.reason <> '') = $4)
             and ($5::text is null or starts_with(lower(a.client), lower($5)))
             and ($6::text is null or a.gateway = $6)
           order by a.id desc limit $7""",
        before_id, user_id, step, failed, client, gateway, limit,
    )  # fmt: skip
    return [made(Attempt, row) for row in rows]
