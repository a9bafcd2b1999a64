"""SQL that reads grants and what makes tokens of them: codes and families of refresh tokens.

A grant is made and taken back in `writes/oauth_grants.py`. What is used up on the way (a code, a refresh token) is no
change that people make, and is written here; each of these functions says what is to be locked before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from control.registry.oauth_grant import Grant
from control.store.pool import Connection
from control.store.rows import made
from control.store.statements import Place, behind, in_order, place_of

_SELECT: Final = """
    select g.id, g.client_id as client_pk, c.client_id, c.name as client_name, c.disabled_at as client_disabled_at,
           g.user_id, coalesce(u.name, '') as user_name, u.disabled_at as user_disabled_at,
           g.gateway_id, w.slug as gateway_slug, w.allowed_clients, g.scopes, g.redirect_host,
           g.created_at, g.redeemed_at, g.last_used_at, g.expires_at, g.expires_at <= now() as expired,
           g.revoked_at, g.revoked_for, g.by_assertion,
           not g.by_assertion or coalesce(w.takes_assertions and p.enabled and p.id = w.identity_provider_id
               and i.user_id = g.user_id, false) as vouched_for
    from oauth_grants g join oauth_clients c on c.id = g.client_id join gateways w on w.id = g.gateway_id
    left join users u on u.id = g.user_id
    left join identities i on i.id = g.identity_id left join identity_providers p on p.id = i.provider_id
"""


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it is kept, and whose grant it redeems."""

    grant_id: str
    redirect_uri: str
    challenge: str
    expired: bool
    used: bool


@dataclass(frozen=True, slots=True)
class Family:
    """The refresh tokens of one grant: the number of the one that lives, and when those before it were replaced."""

    salt: bytes
    living: int
    replaced_at: tuple[datetime, ...]
    used_at: datetime
    now: datetime
    """By the clock of the database."""


async def one(connection: Connection, grant_id: str, *, lock: bool = False) -> Grant | None:
    """The grant with this identifier; locked for a change."""
    row = await connection.fetchrow(_SELECT + "where g.id = $1" + (" for update of g" if lock else ""), grant_id)
    return None if row is None else made(Grant, row)


async def many(connection: Connection, grant_ids: Sequence[str]) -> dict[str, Grant]:
    """The grants with these identifiers, by identifier."""
    rows = await connection.fetch(_SELECT + "where g.id = any($1::uuid[])", list(grant_ids))
    return {row["id"]: made(Grant, row) for row in rows}


async def teams_of(connection: Connection, grant_id: str) -> list[str]:
    """The teams as whose member a caller by this grant calls: the person's, or the client's own."""
    rows = await connection.fetch(
        """select m.team_id from oauth_grants g join memberships m on m.user_id = g.user_id where g.id = $1
           union all
           select c.team_id from oauth_grants g join oauth_clients c on c.id = g.client_id
           where g.id = $1 and g.user_id is null and c.team_id is not null""",
        grant_id,
    )
    return [str(row["team_id"]) for row in rows]


async def by_itself(connection: Connection, client_pk: str, gateway_id: str) -> Grant | None:
    """The grant by which a client acts by itself at a gateway, if it holds one that is not revoked."""
    row = await connection.fetchrow(
        _SELECT + "where g.client_id = $1 and g.gateway_id = $2 and g.user_id is null and g.revoked_at is null",
        client_pk, gateway_id,
    )  # fmt: skip
    return None if row is None else made(Grant, row)


async def by_assertion(connection: Connection, client_pk: str, user_id: str, gateway_id: str) -> Grant | None:
    """The grant that an identity provider's assertions have given a client for a person, if it is not revoked."""
    row = await connection.fetchrow(
        _SELECT
        + """where g.client_id = $1 and g.user_id = $2 and g.gateway_id = $3 and g.by_assertion
               and g.revoked_at is null for update of g""",
        client_pk, user_id, gateway_id,
    )  # fmt: skip
    return None if row is None else made(Grant, row)


async def page(
    connection: Connection,
    *,
    limit: int,
    after: Place | None,
    everything: bool,
    of_user: str,
    user_id: str | None = None,
    client_id: str | None = None,
    gateway_id: str | None = None,
) -> list[Grant]:
    """Grants that were redeemed and not revoked, by the client's name: all, or this user's own."""
    rows = await connection.fetch(
        _SELECT
        + f"""where {behind(2, "c.name", "g.id")} and g.redeemed_at is not null and g.revoked_at is null
                and ($4 or g.user_id = $5::uuid)
                and ($6::uuid is null or g.user_id = $6)
                and ($7::uuid is null or g.client_id = $7)
                and ($8::uuid is null or g.gateway_id = $8)
              {in_order("c.name", "g.id")} limit $1""",
        limit, *place_of(after), everything, of_user or None, user_id, client_id, gateway_id,
    )  # fmt: skip
    return [made(Grant, row) for row in rows]


async def people_by_client(connection: Connection, client_pks: Sequence[str]) -> dict[str, int]:
    """How many people allow each of these clients something now, by the client's row."""
    rows = await connection.fetch(
        """select c.id, (
               select count(distinct g.user_id) from oauth_grants g
               where g.client_id = c.id and g.redeemed_at is not null and g.revoked_at is null
                 and g.expires_at > now()) as people
           from oauth_clients c where c.id = any($1::uuid[])""",
        list(client_pks),
    )
    return {row["id"]: row["people"] for row in rows}


async def locked_of(
    connection: Connection, *, user_id: str | None = None, client_pk: str | None = None
) -> list[Grant]:
    """The grants of a user or of a client that are not revoked, locked for a change."""
    rows = await connection.fetch(
        _SELECT
        + """where g.revoked_at is null and (g.user_id = $1::uuid or g.client_id = $2::uuid)
             order by g.id for update of g""",
        user_id, client_pk,
    )  # fmt: skip
    return [made(Grant, row) for row in rows]


async def clients_at(connection: Connection, gateway_id: str, *, by_assertion: bool = False) -> list[str]:
    """The clients that hold grants for a gateway, as their tokens name them; only those `by_assertion`, if so."""
    rows = await connection.fetch(
        """select distinct c.client_id from oauth_grants g join oauth_clients c on c.id = g.client_id
           where g.gateway_id = $1 and g.revoked_at is null and (g.by_assertion or not $2)""",
        gateway_id, by_assertion,
    )  # fmt: skip
    return [str(row["client_id"]) for row in rows]


async def code(connection: Connection, digest: str) -> Code | None:
    """The code with this digest, locked: of two who bring it, the second sees that it was used."""
    row = await connection.fetchrow(
        """select grant_id, redirect_uri, challenge, expires_at <= now() as expired, used_at is not null as used
           from oauth_codes where digest = $1 for update""",
        digest,
    )
    return None if row is None else made(Code, row)


async def redeem(connection: Connection, digest: str, grant_id: str) -> None:
    """The code is used up, and its grant counts. Both are to be locked before."""
    await connection.execute("update oauth_codes set used_at = now() where digest = $1", digest)
    await connection.execute(
        "update oauth_grants set redeemed_at = now(), last_used_at = now() where id = $1", grant_id
    )


async def begin_family(connection: Connection, grant_id: str, salt: bytes) -> None:
    """The grant gets refresh tokens, of which the first lives. StoreConflict where it has some."""
    await connection.execute("insert into oauth_refresh_tokens (grant_id, salt) values ($1, $2)", grant_id, salt)


async def family(connection: Connection, grant_id: str) -> Family | None:
    """The grant's refresh tokens, locked: of all who refresh at once, each sees what those before did."""
    row = await connection.fetchrow(
        """select salt, living, replaced_at, used_at, clock_timestamp() as now
           from oauth_refresh_tokens where grant_id = $1 for update""",
        grant_id,
    )
    return None if row is None else made(Family, row)


async def rotate(connection: Connection, grant_id: str, replaced_at: Sequence[datetime]) -> int:
    """The next token of the family lives; its number. The family is to be locked before."""
    return int(
        await connection.fetchval(
            """update oauth_refresh_tokens set living = living + 1, replaced_at = $2, used_at = now()
               where grant_id = $1 returning living""",
            grant_id, list(replaced_at),
        )
    )  # fmt: skip


async def note_use(connection: Connection, grant_id: str) -> None:
    """Remember that it was used, at most once a minute; never waits for another who writes the same."""
    await connection.execute(
        """update oauth_grants set last_used_at = now() where id in (
               select id from oauth_grants
               where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')
               for no key update skip locked)""",
        grant_id,
    )


async def note_first_calls(connection: Connection, grant_ids: Sequence[str]) -> list[Grant]:
    """Those of these grants by which nobody had called before: from now on somebody has."""
    rows = await connection.fetch(
        "update oauth_grants set called_at = now() where id = any($1::uuid[]) and called_at is null returning id",
        list(grant_ids),
    )
    return list((await many(connection, [row["id"] for row in rows])).values()) if rows else []


async def use_assertion(connection: Connection, digest: str, expires_at: datetime) -> bool:
    """Whether an assertion, a client's or an identity provider's, is brought for the first time; it is not from now
    on. Whoever brings the same at the same moment waits until this transaction has ended.
    """
    row = await connection.fetchrow(
        """insert into oauth_assertions (digest, expires_at) values ($1, $2)
           on conflict (digest) do nothing returning digest""",
        digest, expires_at,
    )  # fmt: skip
    return row is not None


async def forget_old(connection: Connection, most: int) -> int:
    """Forget what nobody can use any more; how many rows, at most `most` of each kind."""
    gone = 0
    for table, key, old in (
        ("oauth_requests", "id", "expires_at < now()"),
        ("oauth_assertions", "digest", "expires_at < now() - interval '5 minutes'"),
        ("oauth_codes", "digest", "expires_at < now() - interval '1 day'"),
        ("oauth_grants", "id", "redeemed_at is null and created_at < now() - interval '1 day'"),
        ("oauth_grants", "id", "expires_at < now() - interval '30 days'"),
        ("oauth_grants", "id", "revoked_at < now() - interval '30 days'"),
    ):
        rows = await connection.fetch(
            f"""delete from {table} where {key} in (
                    select {key} from {table} where {old} limit $1 for update skip locked) returning {key}""",
            most,
        )
        gone += len(rows)
    return gone
