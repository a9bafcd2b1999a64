"""SQL of devices that are known: browsers in which a person has signed in before.

Called by `control/sign_in/devices.py`. Knowing one is nobody's change, and gives no access: it only keeps strangers'
guesses from slowing the person down.
"""

from datetime import timedelta
from typing import Final

from control.store.pool import Connection

AGE: Final = timedelta(days=180)
"""Since it was last used."""
MOST_OF_ONE_PERSON: Final = 20


async def is_known(connection: Connection, digest: str, user_id: str) -> bool:
    """Whether this person has signed in with it not too long ago."""
    found: bool = await connection.fetchval(
        """select exists (select from known_devices
                          where digest = $1 and user_id = $2 and last_used_at > now() - $3::interval)""",
        digest, user_id, AGE,
    )  # fmt: skip
    return found


async def remember(connection: Connection, digest: str, user_id: str) -> None:
    """The person has signed in with it now; the oldest beyond the most are forgotten."""
    await connection.execute(
        """insert into known_devices (digest, user_id) values ($1, $2)
           on conflict (digest) do update set user_id = excluded.user_id, last_used_at = now()""",
        digest, user_id,
    )  # fmt: skip
    await connection.execute(
        """delete from known_devices where user_id = $1 and (last_used_at <= now() - $2::interval or digest in (
               select digest from known_devices where user_id = $1 order by last_used_at desc offset $3))""",
        user_id, AGE, MOST_OF_ONE_PERSON,
    )  # fmt: skip


async def forget_all_of(connection: Connection, user_id: str) -> None:
    """None of a person's devices is known any more."""
    await connection.execute("delete from known_devices where user_id = $1", user_id)
