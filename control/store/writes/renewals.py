"""SQL that writes what renewals come to. Called by `control/changes/renewals.py`.

Each statement names the version that was read: where somebody wrote a newer token meanwhile, nothing is written. The
lease is a column of the row and not a key of Redis, which may be flushed at any time: a lease that is lost in the
middle of a renewal would let a second one send the same refresh token, and a strict provider then signs the person
out.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from control.registry.account import Account, NewAccount
from control.store.accounts import COLUMNS, FIRST_VERSION
from control.store.rows import columns_of, made, values_of
from control.store.statements import listed
from control.store.writing import Writing

_GIVEN: Final = columns_of(NewAccount)
_KEEP: Final = f"""
    update accounts set refusals = $3, {", ".join(f"{name} = ${number + 4}" for number, name in enumerate(_GIVEN))},
        version = version + 1, refresh_owner = null, refresh_until = null, fault = '', failing_since = null,
        refused_at = null, refreshed_at = now()
    where installation_id = $1 and version = $2
    returning {listed(COLUMNS)}
"""
_FIRST: Final = f"""
    insert into accounts (installation_id, version, {listed(_GIVEN)})
    values ($1, {FIRST_VERSION}, {", ".join(f"${number + 2}" for number in range(len(_GIVEN)))})
    on conflict (installation_id) do nothing
    returning {listed(COLUMNS)}
"""


async def lease(writing: Writing, account: Account, owner: str, life: timedelta) -> bool:
    """Whether `owner` alone renews this account from now on, for so long; False where somebody else does."""
    row = await writing.fetch_row(
        """update accounts set refresh_owner = $3, refresh_until = clock_timestamp() + $4::interval
           where installation_id = $1 and version = $2 and coalesce(refresh_until <= clock_timestamp(), true)
           returning installation_id""",
        account.installation_id, account.version, owner, life,
    )  # fmt: skip
    return row is not None


async def keep(
    writing: Writing, installation_id: str, version: int, account: NewAccount, refusals: int
) -> Account | None:
    """The account with its next tokens; None where it has a newer version than `version`, or is gone. `refusals`: how
    many renewals in a row the server's refusals have asked for, with this one.

    Whoever has a lease that is over may still write, as long as nobody else has: these tokens are the newest.
    """
    row = await writing.fetch_row(_KEEP, installation_id, version, refusals, *values_of(account, _GIVEN))
    return None if row is None else made(Account, row)


async def insert(writing: Writing, installation_id: str, account: NewAccount) -> Account | None:
    """The first account of an installation; None where it has one."""
    row = await writing.fetch_row(_FIRST, installation_id, *values_of(account, _GIVEN))
    return None if row is None else made(Account, row)


async def fail(writing: Writing, account: Account, owner: str, fault: str, rest: timedelta) -> bool:
    """Why there are no next tokens, and how long the provider is left alone; only by the owner of the lease."""
    row = await writing.fetch_row(
        """update accounts set fault = $4, failing_since = coalesce(failing_since, now()),
               refresh_at = clock_timestamp() + $5::interval, refresh_owner = null, refresh_until = null
           where installation_id = $1 and version = $2 and refresh_owner = $3
           returning installation_id""",
        account.installation_id, account.version, owner, fault, rest,
    )  # fmt: skip
    return row is not None


async def refuse(writing: Writing, account: Account, fault: str) -> bool:
    """The provider does not know this sign-in any more. False where there is a newer one."""
    row = await writing.fetch_row(
        """update accounts set refused_at = now(), fault = $3, failing_since = coalesce(failing_since, now()),
               refresh_at = null, refresh_owner = null, refresh_until = null
           where installation_id = $1 and version = $2
           returning installation_id""",
        account.installation_id, account.version, fault,
    )  # fmt: skip
    return row is not None


async def put_off(writing: Writing, installation_ids: Collection[str], rest: timedelta) -> None:
    """These are not due before that, each at another moment of the second half of it."""
    await writing.execute(
        """update accounts set refresh_at = clock_timestamp() + $2::interval * (0.5 + random() / 2)
           where installation_id = any($1::uuid[]) and refresh_at is not null""",
        list(installation_ids), rest,
    )  # fmt: skip


async def put_off_idle(writing: Writing, used_within: timedelta, idle_after: timedelta, most: int) -> None:
    """Accounts that nobody uses are due again when they have not been renewed for `idle_after`."""
    await writing.execute(
        """update accounts set refresh_at = refreshed_at + $2::interval where installation_id in (
               select installation_id from accounts
               where refresh_at <= now() and refused_at is null and failing_since is null
                   and coalesce(used_at <= now() - $1::interval, true) and refreshed_at >= now() - $2::interval
               order by refresh_at limit $3 for update skip locked)""",
        used_within, idle_after, most,
    )  # fmt: skip


async def note_used(writing: Writing, installation_ids: Collection[str]) -> None:
    """Calls use these accounts."""
    await writing.execute(
        "update accounts set used_at = now() where installation_id = any($1::uuid[])", list(installation_ids)
    )
