"""Who has applied what was announced, with a real Postgres and Redis; a test leaves there what workers say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from control.publish.acknowledgements import NOBODY_ASKED, Acknowledgements
from control.publish.epochs import ChangeStream
from control.publish.publisher import Publisher
from control.redis import Redis
from control.store import outbox, publication
from control.store.pool import Pool, transaction
from core.acknowledgements import PURPOSE, Acknowledgement, seal_acknowledgement
from core.keys import new_key, parse_key_ring
from core.redis_names import WORKERS, worker_key
from core.sealing import Sealer
from core.signing import Signer
from core.tasks import Tasks
from tests.fixtures_redis import RedisServer

SIGNER = Signer(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()))
RING = parse_key_ring("ARCHWAY_PROXY_KEY", new_key())
LONG_S = 120.0


class Bench:
    """A publisher, the workers that listen, and who asks how far they are."""

    def __init__(self, pool: Pool, redis: Redis, server: RedisServer) -> None:
        self.pool, self.redis, self.server = pool, redis, server
        self.stream = ChangeStream(redis, SIGNER)
        self.asks = Acknowledgements(pool, redis, self.stream, RING)

    async def announce(self, *, publish: bool = True) -> int:
        async with transaction(self.pool) as connection:
            await outbox.announce(connection, "token", "a" * 64)
            upto = await publication.newest_change(connection)
        if publish:
            await Publisher(self.pool, self.redis, SIGNER).publish()
        return upto

    async def says(self, worker: str, *, behind: int = 0, epoch: str = "", sealer: Sealer | None = None) -> None:
        """A worker says that it has applied all but the last so many events."""
        head = await self.stream.position()
        assert head is not None
        said = Acknowledgement(worker, "host", 7, epoch or head.epoch, head.number - behind, time.time())
        with self.server.client() as client:
            client.zadd(WORKERS, {worker: said.at})
            client.set(worker_key(worker), seal_acknowledgement(said, sealer or Sealer(RING, PURPOSE)))


@pytest.fixture
async def bench(pool: Pool, redis_server: RedisServer) -> AsyncIterator[Bench]:
    async with Redis(redis_server.url, deadline_s=2) as redis:
        yield Bench(pool, redis, redis_server)


async def test_all_who_have_applied_it_are_counted(bench: Bench) -> None:
    upto = await bench.announce()
    for worker in ("a", "b", "c"):
        await bench.says(worker)
    found = await bench.asks.of(upto, LONG_S)
    assert (found.announced, found.applied, found.silent) == (True, 3, ())


async def test_who_has_not_is_waited_for(bench: Bench) -> None:
    upto = await bench.announce()
    await bench.says("a", behind=1)
    asking = Tasks("test").spawn("ask", bench.asks.of(upto, LONG_S))
    _, waits = await asyncio.wait((asking,), timeout=0.3)
    assert waits
    await bench.says("a")
    assert (await asking).applied == 1


async def test_the_wait_ends_and_who_did_not_answer_is_named(bench: Bench) -> None:
    upto = await bench.announce()
    await bench.says("a")
    await bench.says("slow", behind=1)
    found = await bench.asks.of(upto, 0.0)
    assert (found.announced, found.applied, [one.worker for one in found.silent]) == (True, 1, ["slow"])


async def test_nobody_can_have_heard_of_what_is_not_published(bench: Bench) -> None:
    await bench.announce()
    await bench.says("a")
    upto = await bench.announce(publish=False)
    assert await bench.asks.of(upto, 0.0) == NOBODY_ASKED


async def test_who_is_in_an_epoch_that_began_later_has_doubted_everything(bench: Bench) -> None:
    upto = await bench.announce()
    await bench.says("a", epoch="another", behind=1)
    assert (await bench.asks.of(upto, 0.0)).applied == 1


async def test_what_is_no_workers_word_counts_for_nobody(bench: Bench) -> None:
    upto = await bench.announce()
    await bench.says("forged", sealer=Sealer(parse_key_ring("K", new_key()), PURPOSE))
    with bench.server.client() as client:
        client.zadd(WORKERS, {"silent": 1.0, "large": 2.0, "list": 3.0})
        client.set(worker_key("large"), b"x" * 10_000)
        client.lpush(worker_key("list"), b"x")
    found = await bench.asks.of(upto, 0.0)
    assert (found.applied, found.silent) == (0, ())
    with bench.server.client() as client:
        client.delete(WORKERS)
        client.set(WORKERS, b"something else")
    assert (await bench.asks.of(upto, 0.0)).applied == 0


async def test_without_redis_it_is_said_that_nobody_was_told(bench: Bench) -> None:
    upto = await bench.announce()
    async with Redis("redis://127.0.0.1:1/0", deadline_s=0.5) as away:
        asks = Acknowledgements(bench.pool, away, ChangeStream(away, SIGNER), RING)
        assert await asks.of(upto, 0.0) == replace(NOBODY_ASKED)
