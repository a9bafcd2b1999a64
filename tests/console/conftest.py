"""What tests of the pages share: the listener for people, served over a real PostgreSQL and a real Valkey."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from control.store.pool import Pool
from tests.console.serving import Console, console_served
from tests.fixtures_idp import idp, idp_issuer
from tests.fixtures_postgres import database, pool, postgres
from tests.fixtures_redis import RedisServer, _session_redis, redis_server

__all__ = ["_session_redis", "database", "idp", "idp_issuer", "pool", "postgres", "redis_server"]


@pytest.fixture
async def console(pool: Pool, redis_server: RedisServer) -> AsyncIterator[Console]:
    async with console_served(pool, redis_server.url) as served:
        yield served
