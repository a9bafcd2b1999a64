"""Changes of accounts: what an installation holds at its server's provider comes, is replaced, and goes.

Called where a person has signed in at a provider, where tokens are deposited, and where somebody takes an account
away. Leaves out refreshes, which are nobody's decision: `control/credentials/upstream_oauth/`.
"""

from dataclasses import replace
from typing import Any

from control.changes.write import Write
from control.registry.account import Account, AccountTokens, NewAccount
from control.registry.installation import Installation
from control.registry.row_seals import RowSeals
from control.store import accounts
from control.store.writes import accounts as rows
from control.store.writes import installations as installation_rows


async def keep(
    write: Write, seals: RowSeals, installation: Installation, given: NewAccount, tokens: AccountTokens
) -> Account:
    """Give an installation, whose row is locked, this account in place of the one that it had. Its server is to be
    discovered again.
    """
    before = await accounts.one(write.connection, installation.id, lock=True)
    sealed = replace(given, tokens=seals.account_tokens(installation.id, given, tokens))
    account = await rows.put(write, installation.id, sealed)
    await installation_rows.set_state(write, installation.id, "new", "")
    await write.announce(installations=[installation.id])
    await write.record("update", "installation", installation.id, told(before), told(account))
    return account


def told(account: Account | None) -> dict[str, Any]:
    """For the audit trail: whose account an installation has and where it is, never a token."""
    return {"account": None if account is None else _told(account)}


def _told(account: Account) -> dict[str, Any]:
    return {
        "issuer": account.issuer,
        "resource": account.resource,
        "account_name": account.account_name,
        "scopes": list(account.scopes),
        "expires_at": account.expires_at,
    }
