"""Control stands still: it takes connections and answers nothing, for longer than the soft age.

DESIGN 3: past its soft age a verdict is asked again off the path, and the old one serves meanwhile while control
cannot be reached. So nobody who is known waits for as long as a question to control may take.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from proxy.resolve.control_client import DEADLINE_S
from tests.faults.load import calling
from tests.fixtures_postgres import Server
from tests.fixtures_program import eventually
from tests.fixtures_system import System, running_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOFT_AGE_S = 0.4
SIX_SOFT_AGES_S = 6 * SOFT_AGE_S


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("system")
    async with running_system(folder, postgres, proxies=2, people=20, soft_age=SOFT_AGE_S, max_stale=60.0) as running:
        yield running


@pytest.mark.parametrize("redis", ["up", "frozen"])
async def test_callers_who_go_on_calling_never_wait_for_a_control_that_stands_still(
    system: System, redis: str
) -> None:
    async with calling(system) as load:
        system.controls[0].freeze()
        if redis == "frozen":
            system.redis.freeze()
        try:
            await load.go_on(SIX_SOFT_AGES_S + DEADLINE_S)  # so that questions fail, too, and control is left alone
        finally:
            system.redis.thaw()
            system.controls[0].thaw()
        await load.go_on(SOFT_AGE_S)
    assert load.failed == Counter()
    assert load.slowest < DEADLINE_S


@pytest.mark.parametrize("redis", ["up", "frozen"])
async def test_callers_who_come_back_after_the_soft_age_do_not_wait_for_it_either(system: System, redis: str) -> None:
    """One after the other, whoever is the first to ask, and while questions fail and control is probed."""
    people = system.people[:8]
    before = [await system.call(one) for one in people]
    await asyncio.sleep(2 * SOFT_AGE_S)
    system.controls[0].freeze()
    if redis == "frozen":
        system.redis.freeze()
    try:
        told = [await system.call(one) for _ in range(5) for one in people if await _a_moment()]
    finally:
        system.redis.thaw()
        system.controls[0].thaw()
    assert Counter(one.status for one in (*before, *told)) == Counter(ok=6 * len(people))
    assert max(one.took for one in told) < DEADLINE_S
    assert system.proxies[0].counted("archway_stale_uses_total") > 0


async def _a_moment() -> bool:
    await asyncio.sleep(0.1)
    return True


async def test_a_worker_that_starts_then_serves_whom_redis_or_the_disk_knows(system: System) -> None:
    await asyncio.gather(*(system.call(one, proxy=1) for one in system.people))
    for also_redis in (False, True):
        await system.stop_proxy(1)  # in order: then all that it knew is on disk
        system.controls[0].freeze()
        if also_redis:
            system.redis.freeze()
        try:
            system.proxies[1].start()
            await system.proxies[1].ready(system.http)
            told = await asyncio.gather(*(system.call(one, proxy=1) for one in system.people))
        finally:
            system.redis.thaw()
            system.controls[0].thaw()
        assert Counter(one.status + one.sentence for one in told) == Counter(ok=len(system.people)), also_redis
        assert max(one.took for one in told) < DEADLINE_S


async def test_who_was_revoked_before_is_refused_once_control_answers_again(system: System) -> None:
    """What served meanwhile is no way around a revocation: the question goes on, and its answer counts."""
    await system.proxies_ask_control()  # which they found away in the test before
    victim = await system.add_person("revoked-meanwhile")
    assert (await system.call(victim)).status == "ok"
    system.redis.freeze()  # so that no news of it come
    try:
        await system.revoke(victim)
        system.controls[0].freeze()
        try:
            await asyncio.sleep(2 * SOFT_AGE_S)
            assert (await system.call(victim)).status == "ok"
        finally:
            system.controls[0].thaw()

        async def is_refused() -> bool:
            return (await system.call(victim)).status == "http 401"

        await eventually(is_refused, 60, "control's answer ends it")
    finally:
        system.redis.thaw()
