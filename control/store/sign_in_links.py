"""SQL that reads links that sign people in: by the digest of their secret, and by person.

Written in `writes/sign_in_links.py`.
"""

from typing import Final

from control.registry.sign_in_link import SignInLink
from control.store.pool import Connection
from control.store.rows import columns_of, made
from control.store.statements import listed

COLUMNS: Final = f"{listed(columns_of(SignInLink, apart={'expired'}), 'l')}, l.expires_at <= now() as expired"
_SELECT: Final = f"select {COLUMNS} from sign_in_links l "


async def open_by_digest(connection: Connection, digest: str, *, lock: bool = False) -> SignInLink | None:
    """The link whose secret has this digest, if it is open and its person not disabled; locked, to be used up."""
    row = await connection.fetchrow(
        _SELECT
        + """join users u on u.id = l.user_id
             where l.digest = $1 and l.used_at is null and l.expires_at > now() and u.disabled_at is null"""
        + (" for update of l" if lock else ""),
        digest,
    )
    return None if row is None else made(SignInLink, row)


async def one(connection: Connection, user_id: str, link_id: str, *, lock: bool = False) -> SignInLink | None:
    """This person's link with this identifier."""
    row = await connection.fetchrow(
        _SELECT + "where l.user_id = $1 and l.id = $2" + (" for update of l" if lock else ""), user_id, link_id
    )
    return None if row is None else made(SignInLink, row)


async def page(connection: Connection, user_id: str, *, limit: int, before_id: str | None) -> list[SignInLink]:
    """This person's links, the newest first, below `before_id` (identifiers rise with time)."""
    rows = await connection.fetch(
        _SELECT + "where l.user_id = $1 and ($2::uuid is null or l.id < $2) order by l.id desc limit $3",
        user_id, before_id, limit,
    )  # fmt: skip
    return [made(SignInLink, row) for row in rows]
