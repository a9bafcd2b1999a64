"""What one publisher does by itself; `tests/control/test_publishing.py` has several, and faults."""

from __future__ import annotations

import logging

import pytest

from control.publish import documents
from control.publish.publisher import Publisher
from control.redis import Redis
from control.store.outbox import announce, touch_gateways
from control.store.pool import Pool, transaction
from core.keys import new_key, parse_key_ring
from core.redis_names import TOMBSTONE_TTL_S, snapshot_key, tombstone_key
from core.signing import Signer
from tests.control import seeded
from tests.fixtures_redis import RedisServer

SIGNER = Signer(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()))
SOMETHING = "00000000-0000-7000-8000-000000000000"


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
    async with Redis(redis_server.url, deadline_s=2) as redis:
        with caplog.at_level(logging.ERROR):
            await Publisher(pool, redis, SIGNER).publish()
    with redis_server.client() as redis:
        assert [redis.exists(snapshot_key(one)) for one in (small, large)] == [1, 0]
    assert "spread its tools over several gateways" in caplog.text
    assert await pool.fetchval("select count(*) from outbox") == 0


@pytest.mark.parametrize(
    ("kind", "noted"), [("entry", True), ("user", True), ("client", True), ("token", False), ("session", False)]
)
async def test_changes_that_make_connections_untrue_are_noted_as_they_leave_the_outbox(
    kind: str, noted: bool, pool: Pool, redis_server: RedisServer
) -> None:
    told: list[bool] = []
    async with Redis(redis_server.url, deadline_s=2) as redis:
        publisher = Publisher(pool, redis, SIGNER, copies_stale=lambda: told.append(True))
        async with transaction(pool) as conn:
            await announce(conn, kind, SOMETHING)  # type: ignore[arg-type]  # one of Kind
        await publisher.publish()
    rows = await pool.fetch("select kind, name from stale_copies")
    assert [(row["kind"], row["name"]) for row in rows] == ([(kind, SOMETHING)] if noted else [])
    assert told == [True]


async def test_publishing_walks_over_no_keys(
    pool: Pool, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object) -> list[bytes]:
        raise AssertionError("a walk over all keys keeps the news waiting")

    monkeypatch.setattr(Redis, "names_like", refused)
    async with Redis(redis_server.url, deadline_s=2) as redis:
        async with transaction(pool) as conn:
            await announce(conn, "installation", SOMETHING)
        await Publisher(pool, redis, SIGNER).publish()
    assert await pool.fetchval("select count(*) from outbox") == 0


async def test_a_session_of_a_client_that_is_ended_leaves_its_mark_for_workers_that_meet_it_later(
    pool: Pool, redis_server: RedisServer
) -> None:
    jti = "ab" * 16
    async with Redis(redis_server.url, deadline_s=2) as redis:
        async with transaction(pool) as conn:
            await announce(conn, "session", jti)
        await Publisher(pool, redis, SIGNER).publish()
    with redis_server.client() as client:
        assert client.exists(tombstone_key(jti))
        assert 0 < client.ttl(tombstone_key(jti)) <= TOMBSTONE_TTL_S
