"""What the tests of renewals share: a provider that rotates refresh tokens, a database, a replica.

One database for the tests of a file, emptied before each: another one for each would cost more than the tests.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from control.accounts import one_renewal
from tests.fakes.renewing import Renewing
from tests.fakes.rotating_provider import RotatingProvider
from tests.fixtures_postgres import TEMPLATE, Server


@pytest.fixture
async def provider() -> AsyncIterator[RotatingProvider]:
    async with RotatingProvider() as running:
        yield running


@pytest.fixture(scope="module")
def database_of_file(postgres: Server) -> Iterator[str]:
    name = f"test_{secrets.token_hex(6)}"
    asyncio.run(_ordered(postgres, f"create database {name} template {TEMPLATE} strategy file_copy"))
    yield postgres.dsn(name)
    asyncio.run(_ordered(postgres, f"drop database {name} with (force)"))


@pytest.fixture
async def rig(
    database_of_file: str, provider: RotatingProvider, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Renewing]:
    monkeypatch.setattr(one_renewal, "AGAIN_AFTER_S", 0.01)
    async with Renewing(database_of_file, provider) as made:
        for table in ("installations", "entries", "outbox"):
            await made.execute(f"delete from {table}")
        yield made


async def _ordered(postgres: Server, statement: str) -> None:
    admin = await asyncpg.connect(postgres.dsn(), timeout=60)
    try:
        await admin.execute(statement)
    finally:
        await admin.close(timeout=30)
