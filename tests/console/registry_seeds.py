"""Entries and installations for tests of pages, sealed with what the served console opens."""

from __future__ import annotations

from typing import Any

from control.changes import entries, installations
from control.changes.installations import WantedInstallation
from control.changes.write import changing
from control.registry.access import Caller
from control.registry.credential import StaticCredential
from control.registry.entry import Entry
from control.registry.fields import Field
from control.registry.installation import Installation
from control.registry.user import User
from control.store import installations as stored
from control.store.pool import transaction
from tests.console.serving import MAKER, Console
from tests.fakes.registry import a_wanted_entry

BEARER = StaticCredential("bearer")
SECRET = "k3y-that-nobody-reads"
ASKS = (
    Field("account", "string", "x-account", title="Account", description="Its number, from the invoice."),
    Field("token", "secret", "x-token", title="Second token", required=False),
    Field("region", "select", "x-region", title="Region", default="eu", options=("eu", "us")),
    Field("sandbox", "boolean", "x-sandbox", title="Sandbox", required=False),
)


async def an_entry(console: Console, slug: str = "github", **changes: Any) -> Entry:
    """An entry of the organisation, at an address where only the fake proxy looks."""
    wanted = a_wanted_entry(f"http://127.0.0.1:9/{slug}", **{"slug": slug, "name": slug.title(), **changes})
    async with changing(console.pool, MAKER) as write:
        return await entries.create(write, console.deps.safeguards, wanted)


async def an_installation(console: Console, entry: Entry, person: User | None = None, **wanted: Any) -> Installation:
    """An installation of the organisation, or of this person."""
    by = MAKER if person is None else Caller(person.id, person.name, "member")
    usual = {"scope": "organisation" if person is None else "personal", **wanted}
    if isinstance(entry.credential, StaticCredential):
        usual = {"credential": SECRET, **usual}
    async with changing(console.pool, by) as write:
        return await installations.create(
            write, console.deps.safeguards, WantedInstallation(entry_id=entry.id, **usual)
        )


async def kept(console: Console, installation_id: str) -> Installation:
    """The installation as it is now."""
    async with transaction(console.pool, readonly=True) as connection:
        found = await stored.one(connection, installation_id)
    assert found is not None
    return found
