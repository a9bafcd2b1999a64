"""Publishing to a real Redis from a real Postgres, with everything going wrong that can."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from control.publish.documents import index_document
from control.publish.epochs import EpochOver
from control.publish.publisher import Publisher
from control.redis import Redis
from control.store.outbox import announce, touch_gateways
from control.store.pool import Pool, transaction
from control.store.publication import claim_changes
from core.changes import Change, open_change
from core.identifiers import new_id
from core.keys import new_key, parse_key_ring
from core.redis_names import CHANGES, CHANGES_HEAD, INDEX, snapshot_key, verdict_key
from core.signing import Signer, Verifier
from core.snapshot import Gateway, Index, open_gateway, open_index
from core.tasks import Tasks
from tests.control import seeded
from tests.fixtures_redis import RedisServer

SIGNING_KEY = new_key()
SIGNER = Signer(parse_key_ring("ARCHWAY_SIGNING_KEY", SIGNING_KEY))
VERIFIER = Verifier("ARCHWAY_VERIFY_KEYS", SIGNER.public_keys)
HERE = Path(__file__).parent
SOON_S = 5.0


@dataclass
class Shelf:
    """What proxies see."""

    server: RedisServer

    def epoch(self) -> str:
        with self.server.client() as redis:
            return (redis.hget(CHANGES_HEAD, "epoch") or b"").decode()

    def changes(self) -> list[Change]:
        """Every event of the current epoch, checked as a proxy would."""
        epoch, found = self.epoch(), []
        with self.server.client() as redis:
            for _, fields in redis.xrange(CHANGES):
                with contextlib.suppress(ValueError):  # an event of another epoch
                    change = open_change(fields[b"e"], epoch, VERIFIER)
                    assert int(fields[b"n"]) == change.number
                    found.append(change)
        return found

    def gateway(self, gateway_id: str) -> Gateway | None:
        with self.server.client() as redis:
            document = redis.hget(snapshot_key(gateway_id), "document")
        return None if document is None else open_gateway(document, gateway_id, VERIFIER)

    def index(self) -> Index | None:
        with self.server.client() as redis:
            document = redis.hget(INDEX, "document")
        return None if document is None else open_index(document, VERIFIER)

    def served(self, gateway_id: str) -> tuple[int, int]:
        """The revisions of a gateway: of its snapshot, and in the index."""
        found, index = self.gateway(gateway_id), self.index()
        listed = [row.revision for row in index.gateways if row.id == gateway_id] if index else []
        return (found.revision if found else 0), (listed[0] if listed else 0)


@pytest.fixture
def shelf(redis_server: RedisServer) -> Shelf:
    return Shelf(redis_server)


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    async with Redis(redis_server.url, deadline_s=2) as opened:
        yield opened


@pytest.fixture
async def publisher(pool: Pool, redis: Redis) -> Publisher:
    return Publisher(pool, redis, SIGNER)


async def eventually(holds: Callable[[], object], within_s: float = SOON_S) -> None:
    for _ in range(int(within_s / 0.02)):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {within_s} s")


async def outbox_length(pool: Pool) -> int:
    return int(await pool.fetchval("select count(*) from outbox"))


async def publish_until_empty(pool: Pool, publisher: Publisher) -> None:
    """A dead replica's claim ends when Postgres sees its connection gone, which takes a moment."""
    for _ in range(100):
        with contextlib.suppress(EpochOver):
            await publisher.publish()
        if not await outbox_length(pool):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the outbox does not become empty")


async def test_a_first_publication_begins_an_epoch_with_every_gateway_and_one_event(
    pool: Pool, publisher: Publisher, shelf: Shelf
) -> None:
    async with transaction(pool) as conn:
        gateway_id = await seeded.gateway(conn)
    await publisher.publish()
    assert shelf.served(gateway_id) == (1, 1)
    index = shelf.index()
    assert index is not None
    assert index.epoch == shelf.epoch()
    assert [(c.number, c.kind, c.name) for c in shelf.changes()] == [(1, "gateway", gateway_id)]


async def test_an_epoch_without_gateways_shows_itself_too(publisher: Publisher, shelf: Shelf) -> None:
    await publisher.publish()
    assert [(c.number, c.revision) for c in shelf.changes()] == [(1, -1)]


async def test_a_touched_gateway_is_published_with_its_revision_and_the_outbox_is_empty(
    pool: Pool, publisher: Publisher, shelf: Shelf
) -> None:
    async with transaction(pool) as conn:
        gateway_id = await seeded.gateway(conn)
    await publisher.publish()
    await seeded.rename_gateway(pool, gateway_id, "Renamed")
    await publisher.publish()
    assert shelf.served(gateway_id) == (2, 2)
    assert [(c.number, c.revision) for c in shelf.changes()] == [(1, 1), (2, 2)]
    assert await outbox_length(pool) == 0


async def test_a_deleted_gateway_is_taken_away_and_a_slow_publisher_does_not_bring_it_back(
    pool: Pool, publisher: Publisher, shelf: Shelf
) -> None:
    async with transaction(pool) as conn:
        gateway_id = await seeded.gateway(conn)
    await publisher.publish()
    await seeded.remove_gateway(pool, gateway_id)
    await publisher.publish()
    assert shelf.gateway(gateway_id) is None
    assert shelf.served(gateway_id) == (0, 0)
    assert shelf.changes()[-1].revision == -1
    assert not await publisher._stream.store_gateway(gateway_id, 1, b"compiled before the end")
    assert shelf.gateway(gateway_id) is None


async def test_what_commits_later_is_published_though_its_number_is_lower(
    pool: Pool, publisher: Publisher, shelf: Shelf
) -> None:
    await publisher.publish()
    early, late = new_id(), new_id()
    async with transaction(pool) as first:
        await announce(first, "session", early)
        async with transaction(pool) as second:
            await announce(second, "session", late)
        await publisher.publish()
        assert [c.name for c in shelf.changes()[1:]] == [late]
    await publisher.publish()
    assert [c.name for c in shelf.changes()[1:]] == [late, early]
    assert [c.number for c in shelf.changes()] == [1, 2, 3]


async def test_an_older_snapshot_never_replaces_a_newer_one(pool: Pool, publisher: Publisher, shelf: Shelf) -> None:
    async with transaction(pool) as conn:
        gateway_id = await seeded.gateway(conn)
    for name in "ab":
        await seeded.rename_gateway(pool, gateway_id, name)
    await publisher.publish()
    assert not await publisher._stream.store_gateway(gateway_id, 2, b"older")
    assert shelf.served(gateway_id) == (3, 3)


async def test_an_index_of_the_same_epoch_with_a_lower_revision_is_not_stored(
    pool: Pool, publisher: Publisher, redis: Redis, shelf: Shelf
) -> None:
    async with transaction(pool) as conn:
        gateway_id = await seeded.gateway(conn)
    await publisher.publish()

    async def overtaken(step: str) -> None:
        if step == "stored":
            await seeded.rename_gateway(pool, gateway_id, "newer")
            await publisher.publish()

    slow = Publisher(pool, redis, SIGNER, after=overtaken)
    slow._everything_at = publisher._everything_at
    await seeded.rename_gateway(pool, gateway_id, "older")
    await slow.publish()
    assert shelf.served(gateway_id) == (3, 3)


async def test_a_revoked_token_s_verdict_leaves_redis_with_the_event(
    pool: Pool, publisher: Publisher, shelf: Shelf
) -> None:
    async with transaction(pool) as conn:
        ann = await seeded.user(conn)
        team = await seeded.team(conn, "ops", ann)
        revoked, of_ann, of_other = [
            await seeded.token(conn, user=one) for one in (await seeded.user(conn, "bob"), ann, None)
        ]
    await publisher.publish()
    with shelf.server.client() as redis:
        for digest in (revoked, of_ann, of_other):
            redis.set(verdict_key(digest), b"sealed")
    async with transaction(pool) as conn:
        await announce(conn, "token", revoked)
        await announce(conn, "team", team)
    await publisher.publish()
    with shelf.server.client() as redis:
        left = [redis.exists(verdict_key(digest)) for digest in (revoked, of_ann, of_other)]
    assert left == [0, 0, 1]


async def test_an_outbox_of_many_rows_is_published_whole(pool: Pool, publisher: Publisher, shelf: Shelf) -> None:
    async with transaction(pool) as conn:
        for number in range(250):
            await announce(conn, "session", f"s{number}")
    await publisher.publish()
    assert [c.name for c in shelf.changes()[1:]] == [f"s{number}" for number in range(250)]
    assert await outbox_length(pool) == 0


async def test_after_a_flush_everything_is_published_again_in_another_epoch(
    pool: Pool, publisher: Publisher, shelf: Shelf
) -> None:
    async with transaction(pool) as conn:
        ids = [await seeded.gateway(conn, f"g{number}") for number in range(3)]
    tasks = Tasks("test")
    tasks.spawn("publisher", publisher.run())
    await eventually(lambda: shelf.index() is not None)
    before = shelf.epoch()
    shelf.server.flush()
    await eventually(lambda: shelf.index() is not None, within_s=2)
    await tasks.close()
    assert shelf.epoch() not in {"", before}
    assert [shelf.served(one) for one in ids] == [(1, 1)] * 3
    assert [c.number for c in shelf.changes()] == [1]


async def test_a_redis_that_lost_the_last_events_begins_another_epoch(
    pool: Pool, publisher: Publisher, shelf: Shelf
) -> None:
    await publisher.publish()
    async with transaction(pool) as conn:
        await announce(conn, "session", "x")
    await publisher.publish()
    before = shelf.epoch()
    with shelf.server.client() as redis:
        redis.hset(CHANGES_HEAD, "number", 1)  # what a failover to a lagging replica leaves
    await publisher.publish()
    assert shelf.epoch() != before
    index = shelf.index()
    assert index is not None
    assert index.epoch == shelf.epoch()


async def test_garbage_under_our_names_is_overwritten(pool: Pool, publisher: Publisher, shelf: Shelf) -> None:
    async with transaction(pool) as conn:
        gateway_id = await seeded.gateway(conn)
    with shelf.server.client() as redis:
        for name in (CHANGES, CHANGES_HEAD, INDEX, snapshot_key(gateway_id)):
            redis.set(name, "garbage")
    await publisher.publish()
    assert shelf.served(gateway_id) == (1, 1)
    assert len(shelf.changes()) == 1


@pytest.mark.parametrize("claimed", ["1000000000000000", "inf", "1e300"])
async def test_a_revision_that_somebody_wrote_into_redis_does_not_withhold_the_next(
    claimed: str, pool: Pool, publisher: Publisher, shelf: Shelf
) -> None:
    async with transaction(pool) as conn:
        gateway_id = await seeded.gateway(conn)
    await publisher.publish()
    with shelf.server.client() as redis:
        redis.hset(INDEX, "revision", claimed)
        redis.hset(snapshot_key(gateway_id), "revision", claimed)
    await seeded.rename_gateway(pool, gateway_id, "told nevertheless")
    await publisher.publish()
    assert shelf.served(gateway_id) == (2, 2)
    with shelf.server.client() as redis:
        assert redis.hget(snapshot_key(gateway_id), "revision") == b"2"


@pytest.mark.parametrize("document", [b"unsigned", b"x" * 5_000_000, None])
async def test_a_document_that_we_did_not_sign_stands_in_nobody_s_way(
    document: bytes | None, pool: Pool, publisher: Publisher, shelf: Shelf
) -> None:
    async with transaction(pool) as conn:
        gateway_id = await seeded.gateway(conn)
    await publisher.publish()
    with shelf.server.client() as redis:
        for name in (INDEX, snapshot_key(gateway_id)):
            redis.hset(name, "revision", 10**15)
            redis.hdel(name, "document")
            if document is not None:
                redis.hset(name, "document", document)
    await seeded.rename_gateway(pool, gateway_id, "told nevertheless")
    await publisher.publish()
    assert shelf.served(gateway_id) == (2, 2)


@pytest.mark.parametrize("field", [("number", "1e300"), ("number", "9" * 15), ("number", "inf"), ("epoch", b"\xff")])
async def test_a_head_that_is_not_ours_begins_another_epoch(
    field: tuple[str, str | bytes], pool: Pool, publisher: Publisher, shelf: Shelf
) -> None:
    await publisher.publish()
    before = shelf.epoch()
    with shelf.server.client() as redis:
        redis.hset(CHANGES_HEAD, *field)
    async with transaction(pool) as conn:
        await announce(conn, "session", "ended")
    await publish_until_empty(pool, publisher)
    assert shelf.epoch() != before
    assert [c.name for c in shelf.changes()] == ["", "ended"]


async def test_a_stream_that_takes_no_more_events_is_begun_again_and_nothing_is_lost(
    pool: Pool, publisher: Publisher, shelf: Shelf
) -> None:
    async with transaction(pool) as conn:
        gateway_id = await seeded.gateway(conn)
    await publisher.publish()
    before = shelf.epoch()
    with shelf.server.client() as redis:
        redis.xadd(CHANGES, {"n": "x"}, id="18446744073709551615-18446744073709551615")
    await seeded.rename_gateway(pool, gateway_id, "told nevertheless")
    with pytest.raises(EpochOver):
        await publisher.publish()
    await publisher.publish()
    assert shelf.epoch() != before
    assert shelf.served(gateway_id) == (2, 2)
    assert [(c.number, c.name) for c in shelf.changes()] == [(1, gateway_id), (2, gateway_id)]
    assert await outbox_length(pool) == 0


async def test_an_epoch_whose_publication_was_cut_off_is_published_by_the_next(
    pool: Pool, publisher: Publisher, shelf: Shelf
) -> None:
    async with transaction(pool) as conn:
        gateway_id = await seeded.gateway(conn)
    await publisher._stream.head()  # began an epoch and died
    await publisher.publish()
    assert shelf.served(gateway_id) == (1, 1)


async def test_no_batch_is_announced_in_an_epoch_whose_publication_is_not_complete(
    pool: Pool, publisher: Publisher, shelf: Shelf
) -> None:
    async with transaction(pool) as conn:
        index = await index_document(conn, "any", SIGNER)
    head = await publisher._stream.head()
    with pytest.raises(EpochOver):
        await publisher._stream.announce(head, [("session", "x", 0)], index=index)
    assert (shelf.changes(), shelf.index()) == ([], None)


async def test_what_one_replica_has_claimed_another_neither_takes_nor_waits_for(pool: Pool) -> None:
    async with transaction(pool) as conn:
        for name in "abc":
            await announce(conn, "session", name)
    async with transaction(pool) as one, transaction(pool) as other:
        assert [change.name for change in await claim_changes(one, 2)] == ["a", "b"]
        async with asyncio.timeout(2):
            assert [change.name for change in await claim_changes(other, 9)] == ["c"]


async def test_two_replicas_at_once_leave_no_hole_and_serve_no_older_revision(
    pool: Pool, database: str, shelf: Shelf
) -> None:
    async with transaction(pool) as conn:
        ids = [await seeded.gateway(conn, f"g{number}") for number in range(4)]
    tasks, clients = Tasks("test"), [Redis(shelf.server.url, deadline_s=2) for _ in range(2)]
    for number, redis in enumerate(clients):
        tasks.spawn(f"replica {number}", Publisher(pool, redis, SIGNER).run())
    seen: dict[str, list[int]] = {one: [] for one in ids}

    async def write(gateway_id: str) -> None:
        for number in range(12):
            await seeded.rename_gateway(pool, gateway_id, f"name {number}")
            seen[gateway_id].append(shelf.served(gateway_id)[0])

    await asyncio.gather(*(write(one) for one in ids))
    await eventually(lambda: all(shelf.served(one) == (13, 13) for one in ids))
    await publish_until_empty(pool, Publisher(pool, clients[0], SIGNER))
    await tasks.close()
    for redis in clients:
        await redis.close()
    numbers = [change.number for change in shelf.changes()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(revisions == sorted(revisions) for revisions in seen.values())
    # The slower replica may announce its older revision last: a reader that holds a newer one passes over it.
    announced = {one: max(change.revision for change in shelf.changes() if change.name == one) for one in ids}
    assert announced == dict.fromkeys(ids, 13)


@pytest.mark.parametrize("step", ["claimed", "stored", "announced"])
async def test_a_replica_killed_in_the_middle_loses_nothing(
    step: str, pool: Pool, database: str, publisher: Publisher, shelf: Shelf
) -> None:
    async with transaction(pool) as conn:
        gateway_id = await seeded.gateway(conn)
        await touch_gateways(conn, [gateway_id])
        await announce(conn, "session", "ended")
    given = {"DSN": database, "REDIS": shelf.server.url, "KEY": SIGNING_KEY, "PYTHONPATH": str(Path.cwd())}
    dying = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "dying_publisher.py"), step, env={**os.environ, **given}
    )
    async with asyncio.timeout(30):
        assert await dying.wait() == -9
    assert await outbox_length(pool) == 2
    await publish_until_empty(pool, publisher)
    assert shelf.served(gateway_id) == (2, 2)
    assert {("gateway", 2), ("session", 0)} <= {(c.kind, c.revision) for c in shelf.changes()}
    numbers = [change.number for change in shelf.changes()]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_while_redis_is_gone_changes_wait_in_the_outbox_and_are_published_when_it_is_back(
    pool: Pool, breakable_redis: RedisServer
) -> None:
    shelf, tasks = Shelf(breakable_redis), Tasks("test")
    async with transaction(pool) as conn:
        gateway_id = await seeded.gateway(conn)
    async with Redis(breakable_redis.url, deadline_s=0.3) as redis:
        tasks.spawn("publisher", Publisher(pool, redis, SIGNER).run())
        await eventually(lambda: shelf.served(gateway_id) == (1, 1))
        breakable_redis.freeze()
        await seeded.rename_gateway(pool, gateway_id, "while frozen")
        await asyncio.sleep(0.8)
        assert await outbox_length(pool) == 1
        breakable_redis.kill()
        await seeded.rename_gateway(pool, gateway_id, "while dead")
        await asyncio.to_thread(breakable_redis.start)
        await eventually(lambda: shelf.served(gateway_id) == (3, 3))
        await tasks.close()
    assert len(tasks) == 0
