"""SQL that reads what identity providers gave at people's own sign-ins, and how it stands with its lease.

Called by `control/identity/`. Moments are compared with the database's clock, which all replicas share. Written in
`writes/kept_tokens.py`.
"""

from dataclasses import dataclass
from typing import Final

from control.registry.identity import Identity
from control.store.identities import COLUMNS
from control.store.pool import Connection, Row
from control.store.rows import made
from control.store.statements import listed

_SELECT: Final = f"""
    select {listed(COLUMNS, "i")}, u.disabled_at is not null as is_disabled,
        coalesce(i.refresh_until > clock_timestamp(), false) as is_held,
        i.fault <> '' and coalesce(i.check_tried_at > clock_timestamp() - make_interval(secs => $2), false)
            as is_resting
    from identities i join users u on u.id = i.user_id
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """An identity with how it stands now, by the database's clock."""

    identity: Identity
    is_disabled: bool
    """Whether the user is shut out."""
    is_held: bool
    """Somebody asks its provider just now."""
    is_resting: bool
    """Its provider could not be asked a moment ago."""


async def locked(connection: Connection, identity_id: str, rest_s: float) -> Kept | None:
    """The identity, locked until the transaction ends. `rest_s`: how long a provider rests after a fault."""
    row = await connection.fetchrow(_SELECT + "where i.id = $1 for update of i", identity_id, rest_s)
    return None if row is None else _kept(row)


async def of_person(connection: Connection, user_id: str, provider_id: str) -> Kept | None:
    """Who the user is at this provider; where they are known there under two names, the last that signed in."""
    row = await connection.fetchrow(
        _SELECT + "where i.user_id = $1 and i.provider_id = $3 order by i.signed_in_at desc nulls last, i.id limit 1",
        user_id, 0.0, provider_id,
    )  # fmt: skip
    return None if row is None else _kept(row)


def _kept(row: Row) -> Kept:
    identity = made(Identity, {name: row[name] for name in COLUMNS})
    return Kept(identity, row["is_disabled"], row["is_held"], row["is_resting"])
