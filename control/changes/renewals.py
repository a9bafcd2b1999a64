"""What renewals of tokens come to, written: nobody decided it, so the audit trail says nothing of it.

Called by `control/accounts/`. Proxies hear only of an account that its provider does not know any more: the token
before goes on living beside a new one, and a proxy takes the new one when it asks again beside its calls.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from control.changes.write import Write
from control.registry.access import Caller
from control.registry.account import Account, NewAccount
from control.store import installations
from control.store.writes import installations as installation_rows
from control.store.writes import renewals as rows

PROVIDER: Final = Caller("", "the provider of a server", "member")
"""Who acts where tokens are renewed."""
_LONGEST_FAULT: Final = 500


async def lease(write: Write, account: Account, owner: str, life: timedelta) -> bool:
    """Whether `owner` alone renews this account from now on; the lease ends by itself after `life`."""
    taken = await rows.lease(write, account, owner, life)
    await _observed(write)
    return taken


async def keep(
    write: Write, installation_id: str, version: int, account: NewAccount, refusals: int = 0
) -> Account | None:
    """Keep the next tokens of the account of this version; None where somebody was faster, or it is gone.

    Version 0: the installation had no account yet. `refusals`: how many renewals in a row the server's refusals have
    asked for, with this one.
    """
    if version:
        kept = await rows.keep(write, installation_id, version, account, refusals)
    else:
        kept = await rows.insert(write, installation_id, account)
    await _observed(write)
    return kept


async def fail(write: Write, account: Account, owner: str, fault: str, rest: timedelta) -> bool:
    """Keep why there are no next tokens; nobody is signed out. The provider is left alone for `rest`."""
    kept = await rows.fail(write, account, owner, fault[:_LONGEST_FAULT], rest)
    await _observed(write)
    return kept


async def refuse(write: Write, account: Account, fault: str, reason: str) -> bool:
    """The provider does not know this sign-in any more: the installation needs a sign-in, and proxies hear of it.
    False where somebody has signed in or renewed it meanwhile. `reason`: for whoever looks after the installation.
    """
    installation = await installations.one(write.connection, account.installation_id, lock=True)
    refused = installation is not None and await rows.refuse(write, account, fault[:_LONGEST_FAULT])
    if refused:
        await installation_rows.set_state(write, account.installation_id, "needs_sign_in", reason)
    await write.announce(installations=[account.installation_id] if refused else ())
    write.observed()
    return refused


async def put_off(write: Write, installation_ids: Collection[str], rest: timedelta) -> None:
    """These accounts are not due before that."""
    await rows.put_off(write, installation_ids, rest)
    await _observed(write)


async def put_off_idle(write: Write, used_within: timedelta, idle_after: timedelta, most: int) -> None:
    """Accounts that nobody uses are renewed when they were not for `idle_after`, and not before."""
    await rows.put_off_idle(write, used_within, idle_after, most)
    await _observed(write)


async def note_used(write: Write, installation_ids: Collection[str]) -> None:
    """Calls use these accounts."""
    await rows.note_used(write, installation_ids)
    await _observed(write)


async def _observed(write: Write) -> None:
    await write.announce()
    write.observed()
