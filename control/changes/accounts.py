"""Changes of accounts: what an installation holds at its server's provider comes, is replaced, and goes.

Called where a person has signed in at a provider, where tokens are deposited, and where somebody takes an account
away. The tokens of an account that goes or gives way are queued for its provider to be told by the schema itself
(`migrations/0021_account_revocations.sql`). Leaves out what is written while tokens are renewed: `renewals.py`.
"""

from dataclasses import replace
from typing import Any

from control.changes import installations as installation_changes
from control.changes.installations import WantedInstallation
from control.changes.refusals import NotAllowed, NotNow
from control.changes.safeguards import Safeguards
from control.changes.write import Write, there
from control.credentials.places import account_place
from control.registry.account import Account, AccountTokens, NewAccount
from control.registry.installation import Installation
from control.registry.installing import may_fill
from control.registry.row_seals import RowSeals
from control.store import accounts, entries
from control.store.writes import accounts as rows
from control.store.writes import installations as installation_rows

_SIGNED_OUT = "It is not signed in at its provider; sign in."


async def connect(
    write: Write, safeguards: Safeguards, target: WantedInstallation | str, given: NewAccount, tokens: AccountTokens
) -> Installation:
    """Give an account to an installation: one that is there (its identifier), or a new one. Only whoever may give its
    answers may. NotNow where the entry has moved since the account came; raises else as `installations.create`.
    """
    if isinstance(target, WantedInstallation):
        installation = await installation_changes.create(write, safeguards, target)
    else:
        installation = await installation_changes.locked(write, target, "installation:update")
        if not may_fill(write.actor, "installation:update", installation.owner):
            raise NotAllowed("Only the owner of this installation may sign in for it.")
    entry = there(await entries.one(write.connection, installation.entry_id))
    if given.place != account_place(entry, installation):
        raise NotNow(f"{entry.name} was changed meanwhile: its server or provider is another one. Sign in again.")
    await keep(write, safeguards.seals, installation, given, tokens)
    return installation


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
    await write.announce(installations_over=[installation.id])
    await write.record("update", "installation", installation.id, told(before), told(account))
    return account


async def disconnect(write: Write, installation_id: str, version: int | None = None) -> None:
    """Take an installation's account away: its calls end, and its provider is told. Where it has none, nothing is
    done. NotThere; NotAllowed; Stale.
    """
    await installation_changes.locked(write, installation_id, "installation:update", version)
    account = await accounts.one(write.connection, installation_id, lock=True)
    if account is None:
        return
    await rows.delete(write, installation_id)
    await installation_rows.set_state(write, installation_id, "needs_sign_in", _SIGNED_OUT)
    await write.announce(installations_over=[installation_id])
    await write.record("update", "installation", installation_id, told(account), told(None))


def told(account: Account | None) -> dict[str, Any]:
    """For the audit trail: whose account an installation has and where it is, never a token."""
    return {"account": None if account is None else _told(account)}


def _told(account: Account) -> dict[str, Any]:
    return {
        "issuer": account.issuer,
        "resource": account.resource,
        "account_name": account.account_name,
        "scopes": list(account.scopes),
        "expires_at": None if account.expires_at is None else account.expires_at.isoformat(),
    }
