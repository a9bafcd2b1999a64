"""The changes of accounts and of their renewals, for `test_every_change.py`: what each does and leaves behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from control.changes import accounts as changes
from control.changes import renewals
from control.changes.write import Write, there
from control.credentials.places import account_place
from control.registry.account import Account, AccountTokens
from control.registry.installation import Installation
from control.store import accounts
from core.identifiers import new_id
from tests.fakes.registry import an_account
from tests.unit.control.changes.acting import SAFEGUARDS

LIFE = timedelta(seconds=9)


async def new_account(write: Write, installation: Installation) -> Account:
    tokens = AccountTokens("a", "r")
    return await changes.keep(write, SAFEGUARDS.seals, installation, an_account(), tokens)


async def of(write: Write, world: Any) -> Account:
    """The account of the world's installation."""
    return there(await accounts.one(write.connection, world.installation.id))


async def lease(write: Write, world: Any) -> None:
    assert await renewals.lease(write, await of(write, world), new_id(), LIFE)


async def keep(write: Write, world: Any) -> None:
    account = await of(write, world)
    assert await renewals.keep(write, account.installation_id, account.version, an_account())


async def fail(write: Write, world: Any) -> None:
    await renewals.fail(write, await of(write, world), new_id(), "it is away", LIFE)


async def refuse(write: Write, world: Any) -> None:
    assert await renewals.refuse(write, await of(write, world), "invalid_grant", "It was signed out.")


async def put_off(write: Write, world: Any) -> None:
    await renewals.put_off(write, [world.installation.id], LIFE)


async def put_off_idle(write: Write, _: Any) -> None:
    await renewals.put_off_idle(write, LIFE, LIFE, 10)


async def note_used(write: Write, world: Any) -> None:
    await renewals.note_used(write, [world.installation.id])


async def given(write: Write, world: Any) -> None:
    await new_account(write, world.installation)


async def connect(write: Write, world: Any) -> None:
    account = an_account(place=account_place(world.entry, world.installation))
    await changes.connect(write, SAFEGUARDS, world.installation.id, account, AccountTokens("a", "r"))


async def disconnect(write: Write, world: Any) -> None:
    await changes.disconnect(write, world.installation.id)


def announced(world: Any) -> list[tuple[str, str]]:
    return [("installation", world.installation.id)]


ACCOUNTS: dict[str, tuple[Any, ...]] = {
    "accounts.connect": (connect, "update installation", announced),
    "accounts.disconnect": (disconnect, "update installation", announced),
    "accounts.keep": (given, "update installation", announced),
    "renewals.lease": (lease, ""),
    "renewals.keep": (keep, ""),
    "renewals.fail": (fail, ""),
    "renewals.refuse": (refuse, "", announced),
    "renewals.put_off": (put_off, ""),
    "renewals.put_off_idle": (put_off_idle, ""),
    "renewals.note_used": (note_used, ""),
}
