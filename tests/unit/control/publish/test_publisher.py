"""What one publisher does by itself; `tests/control/test_publishing.py` has several, and faults."""

from __future__ import annotations

import logging

import pytest

from control.publish import documents
from control.publish.publisher import Publisher
from control.redis import Courier
from control.store.outbox import announce, touch_gateways
from control.store.pool import Pool, transaction
from core.courier import connection_key, snapshot_key
from core.keys import new_key, parse_key_ring
from core.signing import Signer
from tests.control import seeded
from tests.fixtures_redis import RedisServer

SIGNER = Signer(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()))


async def test_a_gateway_that_cannot_be_published_keeps_no_other_waiting(
    pool: Pool, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with transaction(pool) as conn:
        small, large = (
            await seeded.gateway(conn, "small"),
            await seeded.gateway(conn, "large", description="d" * 5_000),
        )
        await touch_gateways(conn, [small, large])
    monkeypatch.setattr(documents, "MAX_BYTES", 4_000)
    async with Courier(redis_server.url, deadline_s=2) as courier:
        with caplog.at_level(logging.ERROR):
            await Publisher(pool, courier, SIGNER).publish()
    with redis_server.client() as redis:
        assert [redis.exists(snapshot_key(one)) for one in (small, large)] == [1, 0]
    assert "spread them over several gateways" in caplog.text
    assert await pool.fetchval("select count(*) from outbox") == 0


@pytest.mark.parametrize(("kind", "left"), [("entry", 0), ("installation", 0), ("user", 0), ("session", 1)])
async def test_connections_left_in_redis_go_with_what_may_make_them_untrue(
    kind: str, left: int, pool: Pool, redis_server: RedisServer
) -> None:
    async with Courier(redis_server.url, deadline_s=2) as courier:
        publisher = Publisher(pool, courier, SIGNER)
        await publisher.publish()
        with redis_server.client() as redis:
            redis.set(connection_key("g/a/user:1"), b"sealed")
        async with transaction(pool) as conn:
            await announce(conn, kind, "00000000-0000-7000-8000-000000000000")  # type: ignore[arg-type]  # one of Kind
        await publisher.publish()
    with redis_server.client() as redis:
        assert redis.exists(connection_key("g/a/user:1")) == left
