"""Changes of registry entries, without HTTP and without Redis."""

from __future__ import annotations

from dataclasses import replace

import pytest

from control.changes import entries
from control.changes.refusals import NotNow, NotThere, Stale
from control.changes.write import changing
from control.registry.broken_rule import BrokenRule
from control.registry.credential import StaticCredential
from control.registry.entry import Remote, WantedEntry, entry_fields
from control.store import installations
from control.store.pool import Pool, StoreConflict
from tests.fakes.registry import BEARER, a_wanted_entry
from tests.unit.control.changes.acting import (
    ADMIN,
    NOBODY,
    SAFEGUARDS,
    audit_of,
    changed,
    new_entry,
    new_installation,
)

MOVED = a_wanted_entry("https://elsewhere.test/mcp", credential=BEARER)


async def test_an_entry_is_kept_as_it_was_wanted(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_entry(write, "crm", credential=StaticCredential("header", "X-Key"), labels={"a": "b"})
    assert (made.slug, made.reached, made.labels) == ("crm", Remote("https://github.test/mcp"), {"a": "b"})
    assert made.credential == StaticCredential("header", "x-key")
    assert made.version == 1


async def test_fixed_headers_are_sealed_for_their_entry_and_stay_until_they_are_given_again(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_entry(write, fixed_headers={"X-Partner": "s3cret"})
        assert SAFEGUARDS.seals.open_fixed_headers(made.id, made.fixed_headers) == {"x-partner": "s3cret"}
        renamed = await entries.change(
            write, SAFEGUARDS, made.id, lambda before: WantedEntry(**{**entry_fields(before), "name": "Hub"})
        )
        assert (renamed.name, renamed.fixed_headers, renamed.version) == ("Hub", made.fixed_headers, 2)
        other = await entries.change(
            write, SAFEGUARDS, made.id, lambda before: WantedEntry(**entry_fields(before), fixed_headers={})
        )
        assert (other.fixed_headers, other.fixed_header_names) == (None, ())
    assert all("s3cret" not in str(dict(line)) for line in await audit_of(pool))


async def test_an_entry_that_breaks_a_rule_is_not_made(pool: Pool) -> None:
    with pytest.raises(BrokenRule, match="credential_placement"):
        await changed(pool, lambda write: new_entry(write, credential=StaticCredential("header")))


async def test_a_slug_belongs_to_one_entry(pool: Pool) -> None:
    with pytest.raises(StoreConflict, match="entries_slug_key"):
        await changed(pool, new_entry, new_entry)


async def test_installations_of_an_entry_that_moves_are_to_be_filled_in_again(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write, credential=BEARER)
        installation = await new_installation(write, entry, credential="k3y")
        await entries.change(write, SAFEGUARDS, entry.id, lambda _: MOVED)
        after = await installations.one(write.connection, installation.id)
        assert after is not None
        assert (after.state, after.version) == ("needs_sign_in", installation.version + 1)


async def test_an_entry_in_use_goes_only_with_all_that_depends_on_it(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        installation = await new_installation(write, entry)
        with pytest.raises(NotNow, match="in use by the organisation installation 'Github'"):
            await entries.delete(write, entry.id)
        await entries.delete(write, entry.id, cascade=True)
        assert await installations.one(write.connection, installation.id) is None


async def test_a_change_on_a_version_that_is_gone_or_of_an_entry_that_is_not_there_is_refused(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        with pytest.raises(Stale):
            await entries.change(write, SAFEGUARDS, entry.id, lambda _: replace(MOVED, slug="x"), version=2)
        with pytest.raises(Stale):
            await entries.delete(write, entry.id, version=2)
        with pytest.raises(NotThere):
            await entries.delete(write, NOBODY)
