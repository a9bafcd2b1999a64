"""SQL that writes accounts. Called by `control/changes/accounts.py`; whoever gives an installation another account
locks the installation's row before.
"""

from typing import Final

from control.registry.account import Account, NewAccount
from control.store.accounts import COLUMNS, FIRST_VERSION
from control.store.rows import columns_of, made, values_of
from control.store.statements import listed
from control.store.writing import Writing

_GIVEN: Final = columns_of(NewAccount)
_PUT: Final = f"""
    insert into accounts (installation_id, version, {listed(_GIVEN)})
    values ($1, {FIRST_VERSION}, {", ".join(f"${number + 2}" for number in range(len(_GIVEN)))})
    on conflict (installation_id) do update set {", ".join(f"{name} = excluded.{name}" for name in _GIVEN)},
        version = accounts.version + 1, refresh_owner = null, refresh_until = null, fault = '', failing_since = null,
        refused_at = null, refusals = 0, wanted_scopes = '{{}}', refreshed_at = now(), created_at = now()
    returning {listed(COLUMNS)}
"""


async def put(writing: Writing, installation_id: str, account: NewAccount) -> Account:
    """The installation's account, in place of the one that it had; whoever refreshes that writes nothing any more."""
    row = await writing.fetch_row(_PUT, installation_id, *values_of(account, _GIVEN))
    return made(Account, row)


async def delete(writing: Writing, installation_id: str) -> None:
    """The account goes; the installation stays, for somebody to sign in again."""
    await writing.execute("delete from accounts where installation_id = $1", installation_id)
