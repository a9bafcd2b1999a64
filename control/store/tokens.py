"""SQL that reads bearer tokens: kept as their SHA-256, looked up by it, with the verdict on one that somebody brings.

Written in `writes/tokens.py`, but for the time of the last use: that is no change, and is noted here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from control.registry.owner import owner_columns, token_owner_of
from control.registry.token import Token, Use, principal_of_token
from control.registry.token_validity import refusal_of
from control.store.pool import Connection, Row
from control.store.rows import columns_of, made
from control.store.statements import Place, behind, in_order, listed, place_of
from core.resolve import CallerVerdict

_MADE: Final = {"owner", "owner_name", "owner_disabled_at", "expired"}
"""Fields of a token that are no columns of its table."""
_SELECT: Final = f"""
    select {listed(columns_of(Token, apart=_MADE), "t")}, t.user_id, t.team_id,
           coalesce(u.name, g.name, '') as owner_name, u.disabled_at as owner_disabled_at,
           t.expires_at is not null and t.expires_at <= now() as expired
    from tokens t left join users u on u.id = t.user_id left join teams g on g.id = t.team_id
"""
_VERDICTS: Final = _SELECT.replace(
    "as expired",
    """as expired,
           t.last_used_at is null or t.last_used_at < now() - interval '1 minute' as use_is_news,
           array(select m.team_id from memberships m where m.user_id = t.user_id) as teams""",
)


@dataclass(frozen=True, slots=True)
class Held:
    """A token that holds, of whichever kind."""

    id: str
    use: Use
    user_id: str | None
    expires_at: datetime | None


async def use(connection: Connection, digest: str) -> Held | None:
    """The token that somebody brings to the admin API, if it holds; notes the use of one that is for the API. Needs a
    writing transaction.
    """
    token = await by_digest(connection, digest)
    if token is None or refusal_of(token):
        return None
    if token.use == "api":
        await note_use(connection, token.id)
    return Held(token.id, token.use, owner_columns(token.owner).user_id, token.expires_at)


async def verdict_for(connection: Connection, digest: str) -> CallerVerdict:
    """Who bears the token with this digest, as a proxy needs to know; notes its use. Needs a writing transaction."""
    return (await verdicts_for(connection, [digest]))[digest]


async def verdicts_for(connection: Connection, digests: Sequence[str]) -> dict[str, CallerVerdict]:
    """Who bears the tokens with these digests, by digest; notes their use. Needs a writing transaction."""
    verdicts = {digest: CallerVerdict(digest, refusal="unknown") for digest in digests}
    used: list[str] = []
    for row in await connection.fetch(_VERDICTS + "where t.digest = any($1::text[])", list(verdicts)):
        verdict = _verdict(row)
        verdicts[verdict.digest] = verdict
        if verdict.principal is not None and row["use_is_news"]:
            used.append(verdict.credential_id)
    if used:
        await _note_uses(connection, used)
    return verdicts


def _verdict(row: Row) -> CallerVerdict:
    token = _made(row)
    refusal = refusal_of(token)
    if refusal:
        return CallerVerdict(token.digest, credential_id=token.id, refusal=refusal)
    expires = None if token.expires_at is None else token.expires_at.timestamp()
    principal = principal_of_token(token, row["teams"])
    if token.use != "gateways":
        return CallerVerdict(token.digest, credential_id=token.id, expires=expires, kept_out=principal)
    return CallerVerdict(token.digest, principal, token.id, expires)


async def note_use(connection: Connection, token_id: str) -> None:
    """Remember that it was used, at most once a minute; never waits for another who writes the same."""
    await _note_uses(connection, [token_id])


async def _note_uses(connection: Connection, token_ids: Sequence[str]) -> None:
    await connection.execute(
        """update tokens set last_used_at = now() where id in (
               select id from tokens
               where id = any($1::uuid[]) and (last_used_at is null or last_used_at < now() - interval '1 minute')
               for no key update skip locked)""",
        token_ids,
    )


async def by_digest(connection: Connection, digest: str) -> Token | None:
    """The token with this digest."""
    row = await connection.fetchrow(_SELECT + "where t.digest = $1", digest)
    return None if row is None else _made(row)


async def one(connection: Connection, token_id: str, *, lock: bool = False) -> Token | None:
    """The token with this identifier; locked for a change."""
    row = await connection.fetchrow(_SELECT + "where t.id = $1" + (" for update of t" if lock else ""), token_id)
    return None if row is None else _made(row)


async def holds(connection: Connection, token_id: str) -> bool:
    """Whether the token is accepted, and stays so until the transaction ends."""
    row = await connection.fetchrow(_SELECT + "where t.id = $1 for no key update of t", token_id)
    return row is not None and not refusal_of(_made(row))


async def lock_all_of(connection: Connection, user_id: str) -> list[Token]:
    """A user's tokens that are not revoked, locked for a change. The user is to be locked before."""
    rows = await connection.fetch(
        _SELECT + "where t.user_id = $1 and t.revoked_at is null order by t.id for update of t", user_id
    )
    return [_made(row) for row in rows]


async def page(
    connection: Connection,
    *,
    limit: int,
    after: Place | None,
    everything: bool,
    of_user: str,
    of_teams: list[str],
    kind: str | None = None,
    user_id: str | None = None,
    team_id: str | None = None,
    created_by: str | None = None,
    use: str | None = None,
) -> list[Token]:
    """By name: everything, or what belongs to this user and these teams; narrowed by the filters."""
    rows = await connection.fetch(
        _SELECT
        + f"""where {behind(2, "t.name", "t.id")}
               and ($4 or t.user_id = $5::uuid or t.team_id = any($6::uuid[]))
               and ($7::text is null or t.kind = $7)
               and ($8::uuid is null or t.user_id = $8)
               and ($9::uuid is null or t.team_id = $9)
               and ($10::uuid is null or t.created_by = $10)
               and ($11::text is null or t.use = $11)
             {in_order("t.name", "t.id")} limit $1""",
        limit, *place_of(after), everything, of_user, of_teams, kind, user_id, team_id, created_by, use,
    )  # fmt: skip
    return [_made(row) for row in rows]


def _made(row: Row) -> Token:
    return made(Token, row, owner=token_owner_of(row["user_id"], row["team_id"]))
