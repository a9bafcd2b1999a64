"""SQL that reads who people are at identity providers. Written in `writes/identities.py`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from control.registry.access import Role
from control.registry.identity import Identity
from control.store.pool import Connection, Row
from control.store.rows import columns_of, made
from control.store.statements import listed

COLUMNS: Final = columns_of(Identity)
_SELECT: Final = f"select {listed(COLUMNS)} from identities "


@dataclass(frozen=True, slots=True)
class Standing:
    """What a user has now of what claims may change: their role, their teams, and which of these a provider gave."""

    name: str
    role: Role
    disabled: bool
    shut_out_by: str | None
    """The provider that no longer knew them; None where an admin shut them out, or nobody did."""
    teams: dict[str, Role]
    provided: frozenset[str]
    """Teams that this provider's claims gave."""


@dataclass(frozen=True, slots=True)
class GoesWithProvider:
    """What the deletion of an identity provider takes from people, in names for whoever is asked about it."""

    people: list[str]
    """Who is known by it, and signs in with it no more."""
    teams: list[tuple[str, int]]
    """Teams with how many members its claims gave them, who are taken out."""
    roles: list[str]
    """Who has their role from its claims, and is a member then."""
    sessions: int
    """Browser sessions that it vouched for."""


async def one(connection: Connection, identity_id: str, *, lock: bool = False) -> Identity | None:
    """The identity with this identifier; locked for a change."""
    row = await connection.fetchrow(_SELECT + "where id = $1" + (" for update" if lock else ""), identity_id)
    return None if row is None else made(Identity, row)


async def by_subject(connection: Connection, issuer: str, subject: str) -> Identity | None:
    """Who is known by this issuer under this subject; both byte for byte."""
    row = await connection.fetchrow(_SELECT + "where issuer = $1 and subject = $2", issuer, subject)
    return None if row is None else made(Identity, row)


async def of_user(connection: Connection, user_id: str) -> list[Identity]:
    """A user's identities at all providers."""
    rows = await connection.fetch(_SELECT + "where user_id = $1 order by created_at, id", user_id)
    return [made(Identity, row) for row in rows]


@dataclass(frozen=True, slots=True)
class Said:
    """What a provider said of a person at their last sign-in, sealed."""

    identity_id: str
    provider_id: str
    signed_in_at: datetime
    claims: bytes


async def said_of_user(connection: Connection, user_id: str) -> list[Said]:
    """What providers said of a user, the last sign-in first."""
    rows = await connection.fetch(
        """select id as identity_id, provider_id, signed_in_at, claims from identities
           where user_id = $1 and claims is not null order by signed_in_at desc, id""",
        user_id,
    )
    return [made(Said, row) for row in rows]


async def lock_of_user(connection: Connection, user_id: str) -> None:
    """A user's identities are locked until the transaction ends."""
    await connection.execute("select from identities where user_id = $1 order by id for update", user_id)


async def user_with_email(connection: Connection, email: str) -> str | None:
    """The user with this address, in whatever case."""
    found: str | None = await connection.fetchval("select id from users where lower(email) = lower($1)", email)
    return found


async def standing(connection: Connection, user_id: str, provider_id: str) -> Standing | None:
    """What the user has now; None where there is no such user."""
    row = await connection.fetchrow(
        """select u.name, u.role, u.disabled_at is not null as disabled, u.shut_out_by,
                  coalesce((select jsonb_object_agg(m.team_id, m.role) from memberships m where m.user_id = u.id),
                           '{}') as teams,
                  array(select p.team_id from provided_memberships p
                        where p.user_id = u.id and p.provider_id = $2) as provided
           from users u where u.id = $1""",
        user_id, provider_id,
    )  # fmt: skip
    return None if row is None else made(Standing, row)


async def existing_teams(connection: Connection, team_ids: list[str]) -> set[str]:
    """Those of these teams that there are: a rule may name one that was deleted."""
    return {row["id"] for row in await connection.fetch("select id from teams where id = any($1::uuid[])", team_ids)}


async def people_of(connection: Connection, provider_id: str) -> list[str]:
    """Users who are known by this provider."""
    rows = await connection.fetch(
        "select distinct user_id from identities where provider_id = $1 order by user_id", provider_id
    )
    return [row["user_id"] for row in rows]


async def given_by(connection: Connection, provider_id: str) -> tuple[list[tuple[str, str]], list[str]]:
    """What the provider's claims gave: memberships (team, user), and users who have their role from them."""
    teams = await connection.fetch(
        "select team_id, user_id from provided_memberships where provider_id = $1 order by team_id, user_id",
        provider_id,
    )
    roles = await connection.fetch(
        """select i.user_id from identities i join users u on u.id = i.user_id
           where i.provider_id = $1 and i.role_given = u.role and u.role <> 'member' order by i.user_id""",
        provider_id,
    )
    return [(row["team_id"], row["user_id"]) for row in teams], [row["user_id"] for row in roles]


async def goes_with(connection: Connection, provider_id: str) -> GoesWithProvider:
    """What the provider's deletion will take along."""
    people = await connection.fetch(
        """select u.name from users u where exists (
               select from identities i where i.user_id = u.id and i.provider_id = $1)
           order by lower(u.name) collate "C", u.id""",
        provider_id,
    )
    teams = await connection.fetch(
        """select t.name, count(*) as members from provided_memberships p join teams t on t.id = p.team_id
           where p.provider_id = $1 group by t.id, t.name order by lower(t.name) collate "C", t.id""",
        provider_id,
    )
    _, holders = await given_by(connection, provider_id)
    roles = await connection.fetch(
        """select name from users where id = any($1::uuid[]) order by lower(name) collate "C", id""", holders
    )
    sessions = await connection.fetchval("select count(*) from browser_sessions where provider_id = $1", provider_id)
    return GoesWithProvider(
        [row["name"] for row in people],
        [(row["name"], row["members"]) for row in teams],
        [row["name"] for row in roles],
        int(sessions),
    )


async def due(connection: Connection, *, older_s: float, again_s: float, limit: int) -> list[tuple[str, int, str]]:
    """Identities of people who signed in and whose provider has not been asked about them for so long, each with the
    version of what is kept and with that provider; those alone of whom it gave what can be refreshed.

    `again_s`: one that was tried is left alone for so long, by whichever replica it was tried.
    """
    rows = await connection.fetch(
        """select i.id, i.tokens_version, i.provider_id from identities i
           join identity_providers p on p.id = i.provider_id and p.enabled
           join users u on u.id = i.user_id and u.disabled_at is null
           where i.signed_in_at is not null and i.gone_at is null
             and i.tokens is not null and i.tokens_end_at is null
             and i.checked_at < now() - make_interval(secs => $1)
             and (i.check_tried_at is null or i.check_tried_at < now() - make_interval(secs => $2))
           order by i.checked_at limit $3""",
        older_s, again_s, limit,
    )  # fmt: skip
    return [(row["id"], row["tokens_version"], row["provider_id"]) for row in rows]


async def page(connection: Connection, provider_id: str, *, limit: int, after: str | None) -> list[Row]:
    """Who is known by this provider, behind an identity (identifiers rise with time), with the user's name."""
    rows: list[Row] = await connection.fetch(
        """select i.id, i.user_id, u.name, u.email as user_email, i.subject, i.email, i.signed_in_at, i.checked_at,
                  i.gone_at, i.fault
           from identities i join users u on u.id = i.user_id
           where i.provider_id = $2 and ($3::uuid is null or i.id > $3) order by i.id limit $1""",
        limit, provider_id, after,
    )  # fmt: skip
    return rows
