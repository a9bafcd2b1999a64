"""SQL that reads bearer tokens: kept as their SHA-256, looked up by it, with the verdict on one that somebody brings.

Written in `writes/tokens.py`, but for the time of the last use: that is no change, and is noted here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from control.registry.tokens import refusal_of
from control.store.pool import Connection, Row
from control.store.statements import listed
from core.resolve import Principal, TokenVerdict

SHOWN: Final = (
    "id", "name", "kind", "user_id", "team_id", "created_by", "created_at", "expires_at", "last_used_at",
    "revoked_at", "version",
)  # fmt: skip
"""Columns that the API and the audit trail show, beside `owner`. `digest`, `owner_disabled_at` and `expired` are in a
row too."""
_SELECT: Final = f"""
    select {listed(SHOWN, "t")}, coalesce(u.name, g.name, '') as owner, t.digest,
           u.disabled_at as owner_disabled_at, t.expires_at is not null and t.expires_at <= now() as expired
    from tokens t left join users u on u.id = t.user_id left join teams g on g.id = t.team_id
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A token that holds, of whichever kind."""

    id: str
    user_id: str | None
    expires_at: datetime | None


async def use(connection: Connection, digest: str) -> Held | None:
    """The token of a caller of the admin API, if it holds; notes its use. Needs a writing transaction."""
    row = await by_digest(connection, digest)
    if row is None or refusal_of(row):
        return None
    await note_use(connection, row["id"])
    return Held(row["id"], row["user_id"], row["expires_at"])


async def verdict_for(connection: Connection, digest: str) -> TokenVerdict:
    """Who bears the token with this digest, as a proxy needs to know; notes its use. Needs a writing transaction."""
    row = await by_digest(connection, digest)
    if row is None:
        return TokenVerdict(digest, refused="unknown")
    refused = refusal_of(row)
    if refused:
        return TokenVerdict(digest, token_id=row["id"], refused=refused)
    await note_use(connection, row["id"])
    expires = None if row["expires_at"] is None else row["expires_at"].timestamp()
    return TokenVerdict(digest, await _principal(connection, row), row["id"], expires)


async def note_use(connection: Connection, token_id: str) -> None:
    """Remember that it was used, at most once a minute; never waits for another who writes the same."""
    await connection.execute(
        """update tokens set last_used_at = now() where id = (
               select id from tokens
               where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')
               for no key update skip locked)""",
        token_id,
    )


async def _principal(connection: Connection, row: Row) -> Principal:
    if row["kind"] == "organisation":
        return Principal("organisation", "organisation", row["name"])
    if row["kind"] == "team":
        return Principal("team", row["team_id"], row["owner"], frozenset({row["team_id"]}))
    teams = await connection.fetch("select team_id from memberships where user_id = $1", row["user_id"])
    return Principal("user", row["user_id"], row["owner"], frozenset(team["team_id"] for team in teams))


async def by_digest(connection: Connection, digest: str) -> Row | None:
    """The token with this digest."""
    found: Row | None = await connection.fetchrow(_SELECT + "where t.digest = $1", digest)
    return found


async def one(connection: Connection, token_id: str, *, lock: bool = False) -> Row | None:
    """The token with this identifier; locked for a change."""
    found: Row | None = await connection.fetchrow(
        _SELECT + "where t.id = $1" + (" for update of t" if lock else ""), token_id
    )
    return found


async def page(
    connection: Connection,
    *,
    limit: int,
    after: str | None,
    everything: bool,
    of_user: str,
    of_teams: list[str],
    kind: str | None = None,
    user_id: str | None = None,
    team_id: str | None = None,
) -> list[Row]:
    """Oldest first: everything, or what belongs to this user and these teams; narrowed by the filters."""
    rows: list[Row] = await connection.fetch(
        _SELECT
        + """where ($2::uuid is null or t.id > $2)
               and ($3 or t.user_id = $4::uuid or t.team_id = any($5::uuid[]))
               and ($6::text is null or t.kind = $6)
               and ($7::uuid is null or t.user_id = $7)
               and ($8::uuid is null or t.team_id = $8)
             order by t.id limit $1""",
        limit, after, everything, of_user, of_teams, kind, user_id, team_id,
    )  # fmt: skip
    return rows
