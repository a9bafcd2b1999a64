"""To which URL stored secrets and accounts are bound, on a real PostgreSQL: what was kept before, and what control of
before writes.
"""

from __future__ import annotations

from typing import Any

import pytest

from control.credentials.places import given_elsewhere, is_for
from control.registry.account import earlier_place_of, place_of
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.origin import origin_of
from control.registry.server_url import server_url
from control.store import accounts, entries, installations
from control.store.migrate import FOLDER
from control.store.pool import Connection, Pool, transaction
from core.egress.addresses import ANYWHERE
from tests.control import seeded

MIGRATION = (FOLDER / "0023_bound_to_urls.sql").read_text()
AS_BEFORE = """
    drop trigger installations_bound_url on installations;
    drop trigger accounts_earlier_url on accounts;
    drop function installations_bound_url, accounts_earlier_url, url_of_server;
    alter table installations drop column bound_url;
    alter table accounts drop column earlier_url, drop column refusals;
"""
FIELDS = [
    {"name": "region", "type": "string", "default": "EU"},
    {"name": "workspace", "type": "string"},
    {"name": "number", "type": "number", "default": 7.0},
    {"name": "site", "type": "string", "header": "x-site"},
]
STATIC = {"kind": "static", "style": "bearer"}
OAUTH = {"kind": "oauth", "issuer": "https://login.test"}
TEMPLATE = "https://{region}.example.com/mcp/{workspace}/{number}?all=1"
SERVERS = [
    ("https://example.com/mcp", {}),
    ("https://example.com/", {}),
    ("https://example.com:8443/mcp?of=a", {}),
    (TEMPLATE, {"workspace": "a b~c+d&e.f-g_h=i!'()*,:", "number": 12}),
    (TEMPLATE, {"region": "us", "workspace": "W", "number": 1.5}),
    (TEMPLATE, {"workspace": "w"}),
]


async def filled(
    connection: Connection, url: str, answers: dict[str, Any], credential: dict[str, str], **columns: Any
) -> str:
    entry = await seeded.entry(connection, url=url, fields=FIELDS, credential=credential)
    made = server_url(await _entry(connection, entry), answers, ANYWHERE)
    given = {"plain_values": answers, "bound_origin": origin_of(made), "bound_places": {}, **columns}
    return await seeded.installation(connection, entry, **given)


async def with_account(connection: Connection, installation_id: str, place: str) -> None:
    await connection.execute(
        """insert into accounts (installation_id, place, issuer, token_endpoint, client_id, client_authentication,
               tokens) values ($1, $2, '', '', '', 'none', '')""",
        installation_id, place,
    )  # fmt: skip


async def _entry(connection: Connection, entry_id: str) -> Entry:
    found = await entries.one(connection, entry_id)
    assert found is not None
    return found


async def both(connection: Connection, installation_id: str) -> tuple[Entry, Installation, str]:
    """With the URL as the rules make it."""
    installation = await installations.one(connection, installation_id)
    assert installation is not None
    entry = await _entry(connection, installation.entry_id)
    return entry, installation, server_url(entry, installation.plain_values, ANYWHERE)


async def may_be_used(connection: Connection, installation_id: str) -> bool:
    """Whether the installation's account is of the server and the provider that its entry names."""
    entry, installation, _ = await both(connection, installation_id)
    account = await accounts.one(connection, installation_id)
    assert account is not None
    return is_for(account, entry, installation)


@pytest.mark.parametrize(("url", "answers"), SERVERS)
async def test_the_migration_binds_secrets_to_the_url_at_which_their_server_is_asked_today(
    pool: Pool, url: str, answers: dict[str, Any]
) -> None:
    async with transaction(pool) as connection:
        known = await filled(connection, url, answers, STATIC, secret_names=["credential"])
        await connection.execute(AS_BEFORE)
        await connection.execute(MIGRATION)
        entry, installation, asked = await both(connection, known)
        assert installation.bound_url == asked
        assert given_elsewhere(entry, installation, asked) is None
        assert given_elsewhere(entry, installation, f"{asked}/of-somebody-else") is not None


@pytest.mark.parametrize(("url", "answers"), SERVERS)
async def test_the_migration_keeps_accounts_good_at_the_url_that_they_are_used_at_today(
    pool: Pool, url: str, answers: dict[str, Any]
) -> None:
    async with transaction(pool) as connection:
        known = await filled(connection, url, answers, OAUTH)
        entry, _, asked = await both(connection, known)
        await with_account(connection, known, earlier_place_of(entry, asked))
        await connection.execute(AS_BEFORE)
        await connection.execute(MIGRATION)
        assert await may_be_used(connection, known)
        await connection.execute("update entries set url = 'https://example.com/of-somebody-else'")
        assert not await may_be_used(connection, known)


async def test_what_was_given_for_another_origin_than_todays_is_bound_to_nothing(pool: Pool) -> None:
    async with transaction(pool) as connection:
        url, before = "https://example.com.test/mcp", "https://example.com"  # which the new one begins with
        secret = await filled(connection, url, {}, STATIC, secret_names=["credential"], bound_origin=before)
        entry, _, _ = await both(connection, secret)
        await with_account(connection, secret, earlier_place_of(entry, f"{before}/mcp"))
        await connection.execute(AS_BEFORE)
        await connection.execute(MIGRATION)
        entry, installation, asked = await both(connection, secret)
        assert installation.bound_url == ""
        assert given_elsewhere(entry, installation, asked) is not None
        await connection.execute("update entries set url = $1", f"{before}/mcp")
        assert not await may_be_used(connection, secret)


async def test_what_control_of_before_writes_is_bound_to_the_url_of_then(pool: Pool) -> None:
    async with transaction(pool) as connection:
        known = await filled(connection, "https://example.com/mcp", {}, OAUTH)
        entry, installation, asked = await both(connection, known)
        await with_account(connection, known, earlier_place_of(entry, asked))
        assert installation.bound_url == asked
        assert await may_be_used(connection, known)
        await connection.execute("update entries set url = 'https://example.com/moved'")
        await connection.execute("update accounts set version = version + 1")  # a renewal of before
        assert not await may_be_used(connection, known)
        await connection.execute("update installations set credential_version = credential_version + 1")
        await connection.execute(
            "update accounts set created_at = now() + interval '1 second'"
        )  # a sign-in of before
        _, installation, asked = await both(connection, known)
        assert installation.bound_url == asked == "https://example.com/moved"
        assert await may_be_used(connection, known)


async def test_a_new_sign_in_ends_what_was_known_of_the_place_before(pool: Pool) -> None:
    async with transaction(pool) as connection:
        known = await filled(connection, "https://example.com/mcp", {}, OAUTH)
        entry, _, asked = await both(connection, known)
        await with_account(connection, known, earlier_place_of(entry, asked))
        await connection.execute("update accounts set place = $1", place_of(entry, asked))
        account = await accounts.one(connection, known)
        assert account is not None
        assert account.earlier_url == ""
        assert await may_be_used(connection, known)
