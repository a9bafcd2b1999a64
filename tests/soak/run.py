"""`make soak HOURS=n`: a whole deployment under a modest load, for as long as you like; argv: hours.

A configuration changes each minute, and the proxy's workers are rolled each hour (in a shorter run twenty changes
and three rolls). At the end all callers leave; what the workers then hold is compared with new workers that never
served. The last lines are `name: value`; the exit code is 1 where one is beyond what is allowed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from tests.emptied_databases import make_template
from tests.fixtures_postgres import Server, start_server, stop_server
from tests.fixtures_program import eventually
from tests.fixtures_system import System, running_system
from tests.soak.load import SoakLoad
from tests.soak.watch import Watch, descriptors

WORKERS = 2
PEOPLE = 15
IDLE_S = 15.0
"""After the last caller: idle connections to servers are closed, and the count of tasks is told."""
SLACK = 2
"""Descriptors and tasks per worker that may differ between a worker that served and one that did not: connections
that are made at the first need. Those to Redis are judged apart: they are made by need too, and never closed."""
REDIS_PLACES = 20
"""Connections to Redis that one worker may hold at most: the places of its two pools (`proxy/redis.py`)."""


@dataclass(frozen=True, slots=True)
class Held:
    """By all workers together, when nobody has called for a while."""

    descriptors: int
    """Without the connections to Redis."""
    to_redis: int
    tasks: int


class Deployment:
    """What a soak asks of the running system."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.watch = Watch()

    @property
    def _ports(self) -> Mapping[str, object]:
        told: Mapping[str, object] = orjson.loads((self.system.folder / "proxy-0.ports").read_bytes())
        return told

    @property
    def workers(self) -> list[int]:
        rows = self._ports["workers"]
        assert isinstance(rows, list)
        return [pid for pid, _ in rows]

    @property
    def supervisor(self) -> int:
        row = self._ports["supervisor"]
        assert isinstance(row, list)
        return int(row[0])

    def look(self) -> None:
        self.watch.look("worker", self.workers)
        self.watch.look("supervisor", [self.supervisor])
        self.watch.look("control", [self.system.controls[0].pid])

    async def roll(self) -> None:
        """Every worker replaced and gone."""
        before = set(self.workers)
        os.kill(self.supervisor, signal.SIGHUP)

        async def rolled() -> bool:
            return len(self.workers) == WORKERS and not before & set(self.workers)

        await eventually(rolled, 120, "the workers are rolled")

    async def metric(self, name: str) -> float:
        async with self.system.http.get(f"http://127.0.0.1:{self._ports['metrics']}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        found = [line.rpartition(" ")[2] for line in lines if line.split("{")[0].split(" ")[0] == name]
        return sum(map(float, found))

    async def held(self) -> Held:
        """Looked at when idle connections have had the time to close."""
        await asyncio.sleep(IDLE_S)
        own, to_redis = descriptors(self.workers, apart=self.system.redis.port)
        return Held(own, to_redis, int(await self.metric("archway_tasks")))

    def keys_without_ttl(self) -> list[str]:
        with self.system.redis.client() as client:
            return sorted(key.decode() for key in client.scan_iter(count=1000) if client.ttl(key) == -1)


async def soak(hours: float, folder: Path, server: Server) -> int:
    await make_template(server)
    seconds = hours * 3600
    change_every, roll_every = min(60.0, seconds / 20), min(3600.0, seconds / 4)
    (folder / "system").mkdir()
    async with running_system(
        folder / "system", server, supervised=WORKERS, people=PEOPLE, soft_age=60, max_stale=3600, grace_seconds="5"
    ) as system:
        deployment, load = Deployment(system), SoakLoad(system)
        load.start(change_every)
        rolls = await _go_on(deployment, seconds, roll_every)
        await load.stop()
        used = await deployment.held()
        keys = deployment.keys_without_ttl()
        await deployment.roll()
        new = await deployment.held()
        dropped = int(await deployment.metric("archway_records_dropped_total"))
    return _told(deployment, load, rolls, used, new, keys, dropped)


async def _go_on(deployment: Deployment, seconds: float, roll_every: float) -> int:
    """Look every few seconds, roll now and then; how many rolls there were."""
    began = rolled = time.monotonic()
    rolls, pause = 0, min(10.0, seconds / 100)
    while time.monotonic() - began < seconds:
        await asyncio.sleep(pause)
        deployment.look()
        if time.monotonic() - rolled >= roll_every:
            await deployment.roll()
            rolls, rolled = rolls + 1, time.monotonic()
    return rolls


def _told(
    deployment: Deployment,
    load: SoakLoad,
    rolls: int,
    used: Held,
    new: Held,
    keys: list[str],
    dropped: int,
) -> int:
    """Print the report; the exit code."""
    growths = deployment.watch.growths()
    breaches = [f"{one.name} grew by {one.mib:.1f} MiB in {one.hours:.2f} h" for one in growths if one.too_much]
    left = {"descriptors": used.descriptors - new.descriptors, "tasks": used.tasks - new.tasks}
    breaches += [f"{more} {what} were left" for what, more in left.items() if more > SLACK * WORKERS]
    if used.to_redis > REDIS_PLACES * WORKERS:
        breaches.append(f"{used.to_redis} connections to Redis")
    breaches += [f"without a TTL: {key}" for key in keys]
    breaches += [f"failed: {what}, {times} times" for what, times in load.failed.items()]
    if dropped:
        breaches.append(f"{dropped} records were dropped")
    for breach in breaches:
        print("breach:", breach)
    print(f"calls: {load.calls}\nstreams: {load.streams}\nchanges: {load.changes}\nrolls: {rolls}")
    for name in ("worker", "supervisor", "control"):
        worst = max((one.mib_per_hour for one in growths if one.name == name), default=0.0)
        print(f"rss_growth_mib_per_hour_{name}: {worst:.1f}")
        gained = max((one.mib for one in growths if one.name == name), default=0.0)
        print(f"rss_gained_mib_{name}: {gained:.1f}")
    print(f"descriptors_left: {left['descriptors']}\ntasks_left: {left['tasks']}")
    print(f"connections_to_redis: {used.to_redis} (new workers: {new.to_redis})\nredis_keys_without_ttl: {len(keys)}")
    print(f"calls_failed: {sum(load.failed.values())}\nrecords_dropped: {dropped}\nbreaches: {len(breaches)}")
    return 1 if breaches else 0


def main() -> None:
    """The command."""
    hours = float(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="archway-soak-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user where this one is root
        (folder / "postgres").mkdir()
        server = start_server(folder / "postgres")
        try:
            code = asyncio.run(soak(hours, folder, server))
        finally:
            stop_server(server)
    sys.exit(code)


if __name__ == "__main__":
    main()
