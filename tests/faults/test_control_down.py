"""Control down, alone and together with Redis.

DESIGN 3: "control | the same [every warm and cached caller; new sign-ins fail] | revocation: not possible to make",
and "control and Redis | callers known within the hard age | at most the hard age". "A disk copy ... holds snapshots
and the caches, so that a restart with control and Redis down serves the callers it knew. Refused then, with the
reason: unknown callers, credentials past expiry."
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from core.tokens import new_token
from tests.faults.load import all_served, calling
from tests.fixtures_postgres import Server
from tests.fixtures_program import eventually
from tests.fixtures_system import System, running_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOFT_AGE_S = 0.4
SIX_SOFT_AGES_S = 6 * SOFT_AGE_S


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("system")
    async with running_system(folder, postgres, proxies=2, soft_age=SOFT_AGE_S, max_stale=60.0) as running:
        _ = await running.add_gateway("never-used")
        yield running


@asynccontextmanager
async def without_control(system: System, *, redis: bool = True) -> AsyncIterator[None]:
    """Control killed, and Redis too unless `redis`; both are back at the end, and the proxies have noticed."""
    await system.controls[0].kill()
    if not redis:
        system.redis.kill()
    try:
        yield
    finally:
        if not redis:
            system.redis.start()
        system.controls[0].start()
        await system.controls[0].ready(system.http)
        for number in range(len(system.proxies)):
            await eventually(lambda number=number: _asks_again(system, number), 60, "proxies ask control again")


async def _asks_again(system: System, proxy: int) -> bool:
    outcome = await system.call(new_token(), proxy=proxy)
    return outcome.status == "http 401"


@pytest.mark.parametrize("case", [pytest.param("", id="F-5: running calls")])
async def test_warm_callers_notice_nothing_of_a_control_that_is_down(system: System, case: str) -> None:
    """ "control | every warm and cached caller": no call of fifty callers fails for longer than five soft ages, and a
    worker that starts again meanwhile serves them all from the sealed copies in Redis."""
    async with calling(system) as load, without_control(system):
        await load.go_on(SIX_SOFT_AGES_S)
        await system.restart(system.proxies[1])
        await all_served(system, proxy=1)
    assert load.failed == Counter()


@pytest.mark.parametrize("case", [pytest.param("", id="F-5: new sign-ins")])
async def test_who_was_never_seen_is_told_that_the_token_cannot_be_checked(system: System, case: str) -> None:
    """ "new sign-ins fail", and clearly: 503 with a sentence, never 401 for a token that may be good, never a way in;
    before and after the breaker of the proxy has opened."""
    stranger = await system.add_person("never-seen")
    async with without_control(system):
        told = [await system.call(caller) for caller in (stranger, new_token(), stranger, stranger, new_token())]
    assert [one.status for one in told] == ["http 503"] * 5
    assert {one.sentence for one in told} == {"The token cannot be checked now; retry soon."}
    assert (await system.call(stranger)).status == "ok"


@pytest.mark.parametrize("case", [pytest.param("", id="F-5: uncached credentials")])
async def test_a_credential_that_nobody_has_asked_for_yet_is_refused_with_the_reason(
    system: System, case: str
) -> None:
    """ "Refused then, with the reason": the gateway itself is loaded from Redis, whose snapshot is signed, but which
    credential its tool needs only control knows."""
    known = system.people[0]
    assert (await system.call(known)).status == "ok"
    async with without_control(system):
        listed = await system.ask("tools/list", token=known.token, gateway="never-used")
        refused = await system.call(known, gateway="never-used")
    assert [tool["name"] for tool in listed.result["tools"]] == ["echo"]
    assert refused.status == "credential_unavailable"
    assert refused.sentence == "The credential for stub cannot be looked up now; retry soon."


@pytest.mark.parametrize("case", [pytest.param("", id="F-5: snapshot age in metrics")])
async def test_metrics_tell_how_old_what_we_go_by_has_become(system: System, case: str) -> None:
    """ "Past its soft age it is used only while control cannot be reached, and counted", and the snapshots' age since
    they were last confirmed rises until somebody is back to confirm it."""
    proxy = system.proxies[0]

    async def stale(more_than: float) -> bool:
        _ = await system.call(system.people[0])
        return proxy.counted("archway_stale_uses_total") > more_than

    async def aged(most: bool) -> bool:
        age = proxy.counted("archway_snapshot_age_seconds")
        return age < 2 * SOFT_AGE_S + 1.5 if most else age > SIX_SOFT_AGES_S

    assert (await system.call(system.people[0])).status == "ok"
    await eventually(lambda: aged(True), 60, "fresh snapshots before")
    before = proxy.counted("archway_stale_uses_total")
    async with without_control(system, redis=False):
        await eventually(lambda: aged(False), 60, "the age is told")
        await eventually(lambda: stale(before), 60, "the uses are counted")
    await eventually(lambda: aged(True), 60, "fresh snapshots afterwards")


@pytest.mark.parametrize("case", [pytest.param("", id="F-5: start from disk snapshot")])
async def test_a_worker_that_starts_with_control_and_redis_down_serves_its_callers(system: System, case: str) -> None:
    """ "a restart with control and Redis down serves the callers it knew": twice over, since a worker that lived on
    its copy only must leave a copy too; the first ends in good order, the second is killed."""
    async with calling(system) as load:
        await load.go_on(SOFT_AGE_S)
    served = []
    async with without_control(system, redis=False):
        await system.stop_proxy(0)
        for _ in range(2):
            system.proxies[0].start()
            await system.proxies[0].ready(system.http)
            served += await asyncio.gather(*(system.call(one) for one in system.people))
            await _disk_was_written(system)
            await system.proxies[0].kill()
        system.proxies[0].start()
        await system.proxies[0].ready(system.http)
        served += await asyncio.gather(*(system.call(one) for one in system.people))
    assert Counter(one.status for one in served) == Counter(ok=3 * len(system.people))


async def _disk_was_written(system: System) -> None:
    folder = system.folder / "proxy-0-disk"

    def newest() -> int:
        written = [0]
        for path in folder.glob("gateways.*"):
            with suppress(FileNotFoundError):  # its worker has just replaced it
                written.append(path.stat().st_mtime_ns)
        return max(written)

    before = newest()

    async def is_newer() -> bool:
        return newest() > before

    await eventually(is_newer, 60, "the copy on disk is written")


@pytest.mark.parametrize(
    "caller",
    [
        pytest.param("known", id="F-5: control and Redis down: known caller"),
        pytest.param("unknown", id="F-5: control and Redis down: unknown caller"),
        pytest.param("expired", id="F-5: control and Redis down: expired"),
    ],
)
async def test_with_control_and_redis_down_callers_known_within_the_hard_age_are_served(
    system: System, caller: str
) -> None:
    """ "control and Redis | callers known within the hard age"; "Refused then, with the reason: unknown callers,
    credentials past expiry". By the worker that went on and by one that started again alike."""
    person = await system.add_person(f"with-both-down-{caller}")
    if caller == "expired":
        soon = (datetime.now(UTC) + timedelta(seconds=4)).isoformat(timespec="milliseconds")
        body = {"name": "short", "kind": "user", "user_id": person.id, "expires_at": soon.replace("+00:00", "Z")}
        person = replace(person, token=(await system.admin.made("/tokens", body))["secret"])
    if caller != "unknown":
        assert [(await system.call(person, proxy=number)).status for number in (0, 1)] == ["ok", "ok"]
    async with calling(system) as load, without_control(system, redis=False):
        await system.stop_proxy(1)
        system.proxies[1].start()
        await load.go_on(5 if caller == "expired" else SIX_SOFT_AGES_S)
        await system.proxies[1].ready(system.http)
        told = [await system.call(person, proxy=number) for number in (0, 1)]
    assert load.failed == Counter()
    if caller == "known":
        assert [one.status for one in told] == ["ok", "ok"]
    else:
        assert {one.status for one in told} <= {"http 401", "http 503"}
        assert all(one.sentence for one in told)


@pytest.mark.parametrize("restart", [False, True])
async def test_past_the_hard_age_nobody_is_served_any_more(
    postgres: Server, tmp_path_factory: pytest.TempPathFactory, restart: bool
) -> None:
    """ "control and Redis | ... | at most the hard age": then a token that may have been revoked long ago is refused,
    from memory as from disk."""
    folder = tmp_path_factory.mktemp("hard")
    async with running_system(folder, postgres, people=1, soft_age=SOFT_AGE_S, max_stale=3.0) as system:
        known, proxy = system.people[0], system.proxies[0]
        assert (await system.call(known)).status == "ok"
        await system.controls[0].kill()
        system.redis.kill()
        assert (await system.call(known)).status == "ok"
        if restart:
            await system.stop_proxy(0)
            proxy.start()
            await proxy.ready(system.http)

        async def is_refused() -> bool:
            return (await system.call(known)).status == "http 503"

        await eventually(is_refused, 60, "the hard age ends it")
