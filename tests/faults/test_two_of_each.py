"""Two control replicas, two proxies: nothing is lost, and nothing is served from an older revision.

DESIGN 1: "publishers claim rows (FOR UPDATE SKIP LOCKED, deleted when published, never a high-water mark) ... store
by a script that refuses a lower revision. A change stream in Redis carries an epoch and numbers without holes; on a
hole, another epoch, a reconnect ... a proxy compares the revisions of all that it holds", and "control inserts once,
reports gaps by worker and time". The soft age is a minute here: what is quicker came by the change stream.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
import pytest_asyncio

from core.redis_names import CHANGES, RECORDS, RECORDS_GROUP
from core.tasks import Tasks
from core.tokens import digest
from tests.faults.load import calling
from tests.fixtures_postgres import Server
from tests.fixtures_program import ROOT, eventually
from tests.fixtures_system import System, running_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEWS_WITHIN_S = 5.0
EDITS = 25


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("system")
    async with running_system(folder, postgres, controls=2, proxies=2, soft_age=60.0, max_stale=3600.0) as running:
        yield running


class Editor:
    """Changes the gateway's instructions, and knows the revision of each text."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.revisions: dict[str, int] = {}

    async def edit(self, control: int, text: str) -> None:
        path = f"/gateways/{self._system.gateway['id']}"
        answer = await self._system.admins[control].patch(path, {"instructions": text}, match="*")
        assert answer.status == 200, answer.body
        self.revisions[text] = answer.json["revision"]

    @property
    def newest(self) -> str:
        return max(self.revisions, key=lambda text: self.revisions[text])

    async def shown(self, *proxies: int) -> None:
        """Until these proxies serve the newest."""

        async def all_do() -> bool:
            found = [await self._system.instructions(self._system.people[0], proxy=one) for one in proxies]
            return set(found) == {self.newest}

        await eventually(all_do, NEWS_WITHIN_S, f"proxies {proxies} serve {self.newest!r}")


@asynccontextmanager
async def watching(system: System, editor: Editor, *proxies: int) -> AsyncIterator[None]:
    """Reads the instructions at each proxy without a pause; at the end, none may ever have gone back."""
    tasks = Tasks("watch")
    seen: dict[int, list[str]] = {proxy: [] for proxy in proxies}

    async def watch(proxy: int) -> None:
        while True:
            text = await system.instructions(system.people[1], proxy=proxy)
            if text:
                seen[proxy].append(text)
            await asyncio.sleep(0.005)

    watchers = [tasks.spawn("watch", watch(proxy)) for proxy in proxies]

    async def looked_twice() -> bool:
        return all(len(texts) > 1 for texts in seen.values())

    try:
        yield
        await eventually(looked_twice, 60, "each proxy was looked at more than once")
    finally:
        for one in watchers:
            one.cancel()
        await asyncio.wait(watchers)
    for texts in seen.values():
        served = [editor.revisions[text] for text in texts if text in editor.revisions]
        assert served == sorted(served), "an older revision was served after a newer one"
        assert served, "no edit was seen"


async def test_edits_through_both_controls_never_take_a_proxy_back(system: System) -> None:
    """ "store by a script that refuses a lower revision", "Several replicas may publish at once": both proxies serve
    rising revisions while calls run, and end with the newest."""
    editor = Editor(system)
    async with calling(system, proxies=(0, 1)) as load, watching(system, editor, 0, 1):

        async def edit_often(control: int) -> None:
            for number in range(EDITS):
                await editor.edit(control, f"edit {number} through {control}")

        await asyncio.gather(edit_often(0), edit_often(1))
        await editor.shown(0, 1)
    assert load.failed == Counter()
    assert len(set(editor.revisions.values())) == 2 * EDITS


async def test_news_committed_in_the_reverse_of_their_order_all_arrive(system: System) -> None:
    """ "deleted when published, never a high-water mark": of two revocations the one that was written first commits
    last, long after the other was published."""
    first, second = await system.add_person("first"), await system.add_person("second")
    for person in (first, second):
        assert (await system.call(person)).status == "ok"
    connections = [await asyncpg.connect(system.dsn, timeout=60) for _ in range(2)]
    transactions = [connection.transaction() for connection in connections]
    for connection, transaction, person in zip(connections, transactions, (first, second), strict=True):
        await transaction.start()
        await connection.execute("update tokens set revoked_at = now() where id = $1", person.token_id)
        await connection.execute("select announce('token', $1)", digest(person.token))

    async def is_refused(token: str) -> bool:
        return (await system.call(token)).status == "http 401"

    await transactions[1].commit()
    await eventually(lambda: is_refused(second.token), NEWS_WITHIN_S, "the later one is refused")
    assert (await system.call(first)).status == "ok"
    await transactions[0].commit()
    await eventually(lambda: is_refused(first.token), NEWS_WITHIN_S, "the earlier one is refused too")
    for connection in connections:
        await connection.close(timeout=30)


@pytest.mark.parametrize("left", [1, 0], ids=["to its last event", "to nothing"])
async def test_a_reader_that_slept_past_the_trimmed_stream_catches_up(system: System, left: int) -> None:
    """ "on a hole ... a proxy compares the revisions of all that it holds before it trusts the stream again", and
    doubts its verdicts: what revoked one may be what was trimmed."""
    editor, victim = Editor(system), await system.add_person(f"victim-{left}")
    await editor.edit(0, f"before the sleep {left}")
    await editor.shown(0, 1)
    for proxy in (0, 1):
        assert (await system.call(victim, proxy=proxy)).status == "ok"
    sleeper = system.proxies[1]
    async with watching(system, editor, 1):
        sleeper.freeze()
        try:
            for number in range(5):
                await editor.edit(number % 2, f"slept through {left} {number}")
            await system.revoke(victim)
            await editor.edit(1, f"last of the sleep {left}")
            await editor.shown(0)
            with system.redis.client() as client:
                client.xtrim(CHANGES, maxlen=left, approximate=False)
        finally:
            sleeper.thaw()
        await editor.shown(1)

        async def is_refused() -> bool:
            return (await system.call(victim, proxy=1)).status == "http 401"

        await eventually(is_refused, NEWS_WITHIN_S, "what was revoked in the sleep is refused")


async def test_records_arrive_once_though_consumers_die_at_any_line(system: System) -> None:
    """ "control inserts once": replicas are killed at random while calls run, and consumers exactly between the
    insert and the acknowledgement; each call's record is there once, by its request id."""
    async with calling(system, proxies=(0, 1)) as load:
        for round_ in range(4):
            victim = system.controls[round_ % 2]
            await victim.kill()
            await consume_and_die(system)
            victim.start()
            await load.go_on(random.uniform(0.1, 0.5))
            await victim.ready(system.http)
    assert load.failed == Counter()
    await every_record_once(system, load.request_ids)


@pytest.mark.parametrize("case", [pytest.param("", id="F-2: flushed")])
async def test_a_flushed_redis_costs_one_refill_of_each_key_and_no_call(system: System, case: str) -> None:
    """ "It may be flushed at any time": no call fails, each worker asks at most once for each key, changes made
    afterwards arrive, nothing goes back, and every record arrives or is reported as missing."""
    editor = Editor(system)
    await editor.edit(0, "before the flush")
    await editor.shown(0, 1)
    async with calling(system, proxies=(0, 1)) as load, watching(system, editor, 0, 1):
        with system.redis.client() as client:
            client.config_resetstat()
            client.flushall()
        await load.go_on(3.0)
        with system.redis.client() as client:
            refills = client.info("commandstats").get("cmdstat_set", {"calls": 0})["calls"]
        await editor.edit(1, "after the flush")
        await editor.shown(0, 1)
    keys = len(system.people) + 1  # a verdict each, and the one connection that all share
    assert load.failed == Counter()
    assert 0 < refills <= keys * len(system.proxies)
    await every_record_once(system, load.request_ids, or_told=True)


async def consume_and_die(system: System) -> None:
    """A consumer that takes what has come, inserts it, and is killed before it acknowledges."""
    environment = {
        "PATH": os.environ["PATH"], "DSN": system.dsn, "REDIS": system.redis.url,
        "KEY": system.keys["ARCHWAY_PROXY_KEY"],
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.control.dying_consumer", cwd=ROOT, env=environment
    )
    try:
        assert await asyncio.wait_for(process.wait(), 30) == -9
    finally:
        if process.returncode is None:
            process.kill()


async def every_record_once(system: System, request_ids: list[str], *, or_told: bool = False) -> None:
    """Each call has exactly one record. `or_told`: what Redis lost may be missing, if a gap says so."""
    wanted = set(request_ids)

    async def all_are_there() -> bool:
        _age_what_the_dead_left(system)
        arrived = Counter(record["request_id"] for record in await system.records())
        assert max(arrived.values(), default=0) <= 1, "a record arrived twice"
        gaps = await system.admin.items("/records/gaps")
        complete = wanted <= set(arrived)
        return complete or gaps != [] if or_told else complete and gaps == []

    await eventually(all_are_there, 60, "every record has arrived")


def _age_what_the_dead_left(system: System) -> None:
    """Let half a minute pass for entries that a dead consumer took: after that, others may claim them."""
    with system.redis.client() as client:
        waiting = client.xpending_range(RECORDS, RECORDS_GROUP, "-", "+", 1_000)
        for one in waiting:
            client.xclaim(RECORDS, RECORDS_GROUP, one["consumer"], 0, [one["message_id"]], idle=60_000, justid=True)
