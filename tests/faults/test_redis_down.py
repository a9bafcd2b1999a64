"""Redis dead, frozen or slow: callers go on from memory and from control.

DESIGN 3: "Redis | the same, resolve calls go to control | revocation 60 s" (one soft age, here 0.4 s).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults.load import all_served, calling
from tests.fixtures_postgres import Server
from tests.fixtures_program import eventually
from tests.fixtures_system import System, running_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOFT_AGE_S = 0.4
SIX_SOFT_AGES_S = 6 * SOFT_AGE_S
A_BUSY_MACHINE_S = 10.0
"""Half of the hard age: what comes by then has not waited for that one."""
A_HANG_S = 8.0
"""A client of Redis without deadlines hangs for 12 s on a frozen server; a busy machine takes less than this."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("system")
    async with running_system(folder, postgres, proxies=2, soft_age=SOFT_AGE_S, through=["redis"]) as running:
        yield running


async def break_redis(system: System, how: str) -> None:
    match how:
        case "dead":
            system.redis.kill()
        case "frozen":
            system.redis.freeze()
        case "slow 200 ms":
            await system.toxics["redis"].set(latency=0.2)


async def mend_redis(system: System, how: str) -> None:
    match how:
        case "dead":
            system.redis.start()
        case "frozen":
            system.redis.thaw()
        case "slow 200 ms":
            await system.toxics["redis"].set()


@pytest.mark.parametrize(
    "how",
    [
        pytest.param("dead", id="F-1: dead"),
        pytest.param("frozen", id="F-2: frozen"),
        pytest.param("slow 200 ms", id="F-2: slow 200 ms"),
    ],
)
async def test_without_redis_every_caller_goes_on_and_control_is_asked(system: System, how: str) -> None:
    """ "Redis | the same [as with control down: every warm and cached caller] ..., resolve calls go to control":
    no warm call fails for longer than five soft ages, a gateway is used for the first time, a worker starts again."""
    slug = "late-" + how.split(maxsplit=1)[0]
    _ = await system.add_gateway(slug)
    stranger = await system.add_person(f"new-{slug}")
    async with calling(system) as load:
        await break_redis(system, how)
        try:
            await load.go_on(SIX_SOFT_AGES_S)
            cold = await system.call(system.people[0], gateway=slug)
            cold_token = await system.call(stranger)
            await system.restart(system.proxies[1])
            await all_served(system, proxy=1)
        finally:
            await mend_redis(system, how)
        await load.go_on(SOFT_AGE_S)
    assert load.failed == Counter()
    assert load.slowest < A_HANG_S
    assert (cold.status, cold_token.status) == ("ok", "ok")


@pytest.mark.parametrize("how", ["dead", "frozen"])
async def test_without_redis_a_revocation_is_at_most_a_soft_age_late(system: System, how: str) -> None:
    """ "Redis | ... | revocation 60 s": the soft age, not the hard one, bounds it, since control can be asked."""
    victim = await system.add_person(f"victim-{how}")
    assert (await system.call(victim)).status == "ok"
    await break_redis(system, how)
    try:
        await system.revoke(victim)

        async def is_refused() -> bool:
            return (await system.call(victim)).status == "http 401"

        await eventually(is_refused, SOFT_AGE_S + A_BUSY_MACHINE_S, "the revoked token is refused")
    finally:
        await mend_redis(system, how)


@pytest.mark.parametrize("how", ["dead", "frozen", "slow 200 ms"])
async def test_once_redis_is_back_news_travel_again(system: System, how: str) -> None:
    """ "publishers claim rows ..., deleted when published": what was changed meanwhile arrives, and all after it."""
    reader = system.people[0]
    path = f"/gateways/{system.gateway['id']}"
    await break_redis(system, how)
    try:
        await asyncio.sleep(SIX_SOFT_AGES_S)
        assert (await system.admin.patch(path, {"instructions": f"changed while {how}"}, match="*")).status == 200
    finally:
        await mend_redis(system, how)

    async def all_have(text: str) -> bool:
        found = [await system.instructions(reader, proxy=number) for number in range(len(system.proxies))]
        return set(found) == {text}

    await eventually(lambda: all_have(f"changed while {how}"), 60, "every proxy has the change")
    assert (await system.admin.patch(path, {"instructions": f"after {how}"}, match="*")).status == 200
    await eventually(lambda: all_have(f"after {how}"), 60, "every proxy has the next change")
