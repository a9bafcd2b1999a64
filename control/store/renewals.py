"""SQL that reads what a renewal of tokens looks at: one account under its lease, and the accounts that are due.

Called by `control/accounts/`. Moments are compared with the database's clock, which all replicas share. Written in
`writes/renewals.py`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from control.registry.account import Account
from control.store.accounts import COLUMNS
from control.store.pool import Connection
from control.store.rows import made
from control.store.statements import listed

_FOR_RENEWAL: Final = f"""
    select {listed(COLUMNS)},
        coalesce(refresh_until > clock_timestamp(), false) as is_held,
        failing_since is not null and coalesce(refresh_at > clock_timestamp(), false) as is_resting,
        coalesce(expires_at <= clock_timestamp(), false) as has_ended
    from accounts where installation_id = $1 for update
"""
_USED: Final = "(used_at > now() - $1::interval or refreshed_at < now() - $2::interval)"
_DUE: Final = f"""
    select installation_id, version, token_endpoint from (
        select installation_id, version, token_endpoint, refresh_at,
            row_number() over (partition by token_endpoint order by refresh_at) as place
        from accounts
        where refresh_at <= now() and refused_at is null and coalesce(refresh_until <= now(), true)
            and {_USED} and token_endpoint <> all($3)
    ) as due
    where place <= $4 order by refresh_at limit $5
"""


@dataclass(frozen=True, slots=True)
class AccountToRenew:
    """An account whose row is locked, judged by the database's clock."""

    account: Account
    is_held: bool
    """Somebody renews it just now."""
    is_resting: bool
    """Its provider could not be asked, and is left alone until the next try."""
    has_ended: bool
    """Its access token has ended."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How accounts stand now, for whoever watches over the deployment."""

    failing: int
    """Accounts whose provider gives no new token, and of which nobody has to sign in."""
    revocations: int
    """Accounts that are gone, and of which a provider was not told yet."""


async def for_renewal(connection: Connection, installation_id: str) -> AccountToRenew | None:
    """The account of this installation; its row is locked until the transaction ends."""
    row = await connection.fetchrow(_FOR_RENEWAL, installation_id)
    if row is None:
        return None
    return AccountToRenew(
        made(Account, {name: row[name] for name in COLUMNS}), row["is_held"], row["is_resting"], row["has_ended"]
    )


async def standing(connection: Connection) -> Standing:
    """How accounts stand now."""
    row = await connection.fetchrow(
        """select (select count(*) from accounts where failing_since is not null and refused_at is null) as failing,
               (select count(*) from account_revocations) as revocations"""
    )
    return Standing(row["failing"], row["revocations"])


async def due(
    connection: Connection,
    *,
    used_within: timedelta,
    idle_after: timedelta,
    but_for: Collection[str],
    of_each: int,
    most: int,
) -> dict[str, list[tuple[str, int]]]:
    """Installations whose accounts are to be renewed now, with the account's version, by token endpoint; the longest
    due first.

    Those that were used within `used_within`, and idle ones that were not renewed for `idle_after`. `but_for`: token
    endpoints that are left out. `of_each`: the most of one endpoint, so that one cannot crowd out the others.
    """
    rows = await connection.fetch(_DUE, used_within, idle_after, list(but_for), of_each, most)
    found: dict[str, list[tuple[str, int]]] = {}
    for row in rows:
        found.setdefault(row["token_endpoint"], []).append((row["installation_id"], row["version"]))
    return found
