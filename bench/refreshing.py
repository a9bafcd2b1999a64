"""What it costs to ask again about what a proxy remembers: `python -m bench.refreshing`.

A memory such as a worker has, in this process, holds the verdict on each of many tokens and an installation for each
of their bearers; a deployment of its own answers. Each round lets all of them grow old and uses them once, in lists
or one by one as of a control that knows no lists. CPU is user + system a refresh: of control, PostgreSQL and Redis,
read from /proc, and of this process, which stands for the proxy. Rounds alternate, and their mean is told, since the
kernel counts in hundredths of a second. Half of the tokens have a use to be noted, as those have that are refreshed
each half a minute.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from math import inf
from pathlib import Path
from typing import Any, Final

import asyncpg

from bench.cpu import cpu_seconds
from bench.deployment import Deployment, deployment
from bench.plan import plan_of
from bench.processes import environment_of, server
from core.egress.addresses import ANYWHERE
from core.egress.client import Egress
from core.internal_call import InternalCalls
from core.keys import parse_key_ring
from core.redis_names import installation_key, verdict_key
from core.resolve import InstallationQuestion, TokenProof
from core.tasks import Tasks
from core.tokens import digest
from proxy.caches.layered import LayeredCache
from proxy.redis import Redis
from proxy.resolve.caller_verdicts import Authority
from proxy.resolve.control_client import ControlClient
from proxy.resolve.installations import Installations
from proxy.resolve.refreshes import Refreshes

FORMS: Final = {"one_by_one": inf, "in_lists": 0.0}
"""Until when nothing is asked in lists."""
_SOFT_S: Final = 3600.0
_OLD_S: Final = 0.7 * _SOFT_S
_WITHIN_S: Final = 120.0
_AT_ONCE: Final = 200
"""Refreshes; of more questions at one moment control turns some away."""
_USED_LATELY: Final = """
    update tokens set last_used_at = now() - case when numbered.half then interval '2 minutes' else interval '0' end
    from (select id, row_number() over (order by id) % 2 = 0 as half from tokens) numbered
    where numbered.id = tokens.id
"""


def main(arguments: list[str] | None = None) -> int:
    """Ask, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.refreshing", description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=500, help="and as many installations (500)")
    parser.add_argument("--rounds", type=int, default=5, help="of each form (5)")
    options = parser.parse_args(arguments)
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="archway-bench-")))
        _, port = ending.enter_context(server("bench.stub_upstream", "0"))
        plan = plan_of({"BENCH_CALLERS": str(options.tokens)})
        running = ending.enter_context(deployment(plan, folder / "state", port, port))
        found = asyncio.run(_measured(running, options.rounds))
    for name, value in found.items():
        print(f"{name}: {value:.1f}")
    return 0


async def _measured(running: Deployment, rounds: int) -> dict[str, float]:
    digests = [digest(token) for token in running.tokens]
    gateway_id, assignment_id = _assigned(running)
    database = environment_of(running.behind["control"][0])["ARCHWAY_DATABASE_URL"]
    async with AsyncExitStack() as ending:
        memory = await _Memory.opened(running, ending)
        connection = await asyncpg.connect(database)
        ending.push_async_callback(connection.close)
        uses = await memory.filled(digests, gateway_id, assignment_id)
        seen: dict[str, list[dict[str, float]]] = {}
        for _ in range(rounds):
            for form, until in FORMS.items():
                for kind, use in uses.items():
                    await connection.execute(_USED_LATELY)
                    await memory.grown_old()
                    used = await memory.refreshed(kind, use, until)
                    seen.setdefault(f"{kind}_{form}", []).append(used)
    return {
        f"{name}_{who}": statistics.mean(one[who] for one in found)
        for name, found in seen.items()
        for who in found[0]
    }


def _assigned(running: Deployment) -> tuple[str, str]:
    """The gateway that calls go to, and the assignment of its one tool."""
    gateway_id = running.gateway_id(running.plain)
    assignment = next(iter(running.api.pages(f"/gateways/{gateway_id}/assignments")))
    return gateway_id, assignment["id"]


class _Memory:
    """What a worker has: the memories, and their ways to Redis and control."""

    def __init__(self, running: Deployment, redis: Redis, egress: Egress, tasks: Tasks) -> None:
        environment = running.proxy_environment
        ring = parse_key_ring("ARCHWAY_PROXY_KEY", environment["ARCHWAY_PROXY_KEY"])
        calls = InternalCalls(ring, caller="proxy", answerer="control")
        addresses = tuple(environment["ARCHWAY_CONTROL_INTERNAL_URL"].split(","))
        control = ControlClient(egress, addresses, calls)
        self.authority = Authority(
            control, redis, ring, soft=_SOFT_S, hard=_SOFT_S, unknown_per_second=1e6, tasks=tasks
        )
        self.installations = Installations(control, redis, ring, soft=_SOFT_S, hard=_SOFT_S, tasks=tasks)
        self._running, self._redis = running, redis
        self._kinds: dict[str, tuple[LayeredCache[Any], Refreshes[Any, Any]]] = {
            "tokens": (self.authority.verdicts, self.authority.refreshes),
            "installations": (self.installations.resolved, self.installations.refreshes),
        }

    @classmethod
    async def opened(cls, running: Deployment, ending: AsyncExitStack) -> "_Memory":
        redis, tasks = Redis(running.proxy_environment["ARCHWAY_REDIS_URL"]), Tasks("bench")
        egress = await ending.enter_async_context(Egress(ANYWHERE))
        ending.push_async_callback(redis.close)
        ending.push_async_callback(tasks.close)
        return cls(running, redis, egress, tasks)

    async def filled(
        self, digests: list[str], gateway_id: str, assignment_id: str
    ) -> dict[str, list[Callable[[], object]]]:
        """Everything is asked once; then what uses each of it."""
        authority, installations = self.authority, self.installations
        asked = {}
        for one in digests:
            verdict = await authority.verdict(TokenProof(one), "127.0.0.1")
            assert verdict.principal is not None
            key = installations.key(gateway_id, assignment_id, verdict.principal.key)
            asked[key] = InstallationQuestion(one, gateway_id, assignment_id)
            _ = await installations.resolve(key, asked[key])
        return {
            "tokens": [partial(authority.known, TokenProof(one)) for one in digests],
            "installations": [
                lambda key=key, question=question: installations.known(key, question)  # type: ignore[misc]  # the same
                for key, question in asked.items()
            ],
        }

    async def grown_old(self) -> None:
        """All is past the age from which on it is refreshed, and Redis has no copy that would spare the question."""
        commands, keys = self._redis.commands, []
        for name in (verdict_key("*"), installation_key("*")):
            keys += [key async for key in commands.scan_iter(name, count=1000)]
        if keys:
            await commands.delete(*keys)
        for cache, _ in self._kinds.values():
            for aged in dict(cache.memory.items()).values():
                aged.asked, aged.young_until = time.monotonic() - _OLD_S, -inf

    async def refreshed(
        self, kind: str, uses: list[Callable[[], object]], one_by_one_until: float
    ) -> dict[str, float]:
        """Use everything once and wait until it is young again; CPU microseconds a refresh, and the questions. No
        lists before `until`."""
        cache, refreshes = self._kinds[kind]
        refreshes._one_by_one_until = one_by_one_until
        before, questions = self._used(), refreshes.questions
        for at in range(0, len(uses), _AT_ONCE):
            await self._until_young(cache, uses[at : at + _AT_ONCE], at + _AT_ONCE)
        used = self._used()
        told = {f"{who}_us_per_refresh": 1e6 * (used[who] - before[who]) / len(uses) for who in used}
        return {**told, "questions": refreshes.questions - questions}

    async def _until_young(self, cache: LayeredCache[Any], uses: list[Callable[[], object]], young: int) -> None:
        """Use them until so many are young: where control was too slow for one, the next use asks again."""
        late = time.monotonic() + _WITHIN_S
        for use in uses:
            assert use() is not None
        while sum(cache.memory.age(aged) < _OLD_S for _, aged in cache.memory.items()) < min(
            young, len(cache.memory)
        ):
            if time.monotonic() > late:
                raise RuntimeError("control did not answer; its log says why")
            await asyncio.sleep(0.1)
            if not cache.memory.asks:
                for use in uses:
                    assert use() is not None

    def _used(self) -> dict[str, float]:
        behind = {who: cpu_seconds(pids) for who, pids in self._running.behind.items()}
        return {"proxy": time.process_time(), **behind}


if __name__ == "__main__":
    sys.exit(main())
