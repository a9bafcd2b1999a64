"""A Kubernetes cluster as a place where servers run: applies what is wanted, and tells how it does.

The loop of `control/servers` calls it in the replica that leads; any replica may read logs. What is wanted of one
server as objects, and what the objects say of it, are the pure files beside this one. A server whose environment is
in another namespace by now is made there and left where it was until the new one has taken its calls for a while.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from control.orchestrator.cluster import Cluster
from control.orchestrator.defaults import Defaults
from control.orchestrator.dry_run import tried_out
from control.orchestrator.egress.looks import Another, Look, first, plain, until_another
from control.orchestrator.identity import INSTALLATION, INSTANCE, PROBE, namespace_of
from control.orchestrator.kinds import DEPLOYMENT
from control.orchestrator.logs import lines_of
from control.orchestrator.namespace import Namespace
from control.orchestrator.seen import Seen
from control.registry.server_state import ANSWERING, Place, ServerState
from control.servers.runtime import Refused, Report, RuntimeAway
from control.servers.troubles import refused
from control.servers.wanted import ConfinedServer, WantedServer

log = logging.getLogger(__name__)

MISSED_AFTER_S: Final = 120.0
"""An object must have been there for so long before it may be taken for nobody's."""
LOOK_AGAIN_S: Final = 10.0
"""How late a state is told that changes because time passes."""
TELL_AGAIN_S: Final = 1.0
LEFT_AFTER_S: Final = 30.0
"""For so long one that has moved answers in its new namespace before it ends in the old: until all proxies know."""
SETTLED: Final = frozenset({"ready", "failed", "asleep"})
"""Phases that nothing changes but what is seen."""
MOVES: Final = "It is being started in the namespace of its environment."


class ClusterRuntime:
    """The servers of one deployment, in one or several namespaces of a cluster."""

    place: Place = "cluster"

    def __init__(
        self, cluster: Cluster, defaults: Defaults, namespaces: Sequence[str] = (), look: Look | None = None
    ) -> None:
        """`look`: says what the cluster can hold of egress policies; None: networks alone."""
        self._cluster, self._defaults = cluster, defaults
        self._names = tuple(namespaces) or (defaults.namespace,)
        self._labels = f"{INSTANCE}={defaults.instance_id},!{PROBE}"
        self._namespaces: dict[str, Namespace] = {}
        """While it is watched."""
        self._seen = Seen(cluster)
        self._look = look or plain
        self._again: frozenset[str] = frozenset()
        """Those to apply once more, since the cluster can hold something else."""
        self._full_at: dict[str, float] = {}
        self._homes: dict[str, str] = {}
        """The namespace in which each was applied last."""
        self._moving: set[str] = set()
        """Those of which something is still where they were before."""
        self._answers_at: dict[str, tuple[str, float]] = {}
        """The namespace in which each was told to be ready, and since when."""
        self._refused: dict[str, tuple[int, Refused]] = {}
        self._touched: set[str] = set()
        self._told: dict[str, ServerState] = {}
        """The latest state of each that was reported."""
        self._news = asyncio.Event()

    async def run(self, report: Report, wake: Callable[[str], None]) -> None:
        """Watch what is there and report how it does, until cancelled; drift wakes the installation."""

        def changed(installation_id: str, drifted: bool) -> None:
            self._touch(installation_id)
            if drifted:
                wake(installation_id)

        capabilities = await first(self._look)
        made = [
            Namespace(self._cluster, name, self._defaults, changed, self._full_at, capabilities)
            for name in self._names
        ]
        self._namespaces = {one.name: one for one in made}
        for installation_id in self._again:
            wake(installation_id)
        try:
            async with asyncio.TaskGroup() as group:
                for one in made:
                    group.create_task(one.run(), name=f"servers/namespace/{one.name}")
                group.create_task(self._tell(report, wake), name="servers/states")
                group.create_task(until_another(self._look, capabilities), name="servers/egress")
        except* Another:
            self._again = frozenset().union(*(one.copies.installations() for one in made))
        else:
            self._again = frozenset()
        finally:
            self._namespaces = {}

    async def apply(self, wanted: WantedServer) -> None:
        """Have the cluster hold what is wanted, in the order in which it is needed; asks nothing where it does."""
        installation_id = wanted.installation_id
        self._check_watched()
        try:
            name = namespace_of(wanted, self._defaults)
            left = [one for one in self._namespaces.values() if one.name != name and one.holds(installation_id)]
            for one in left:  # before anything is refused: what is there goes on
                await one.confine(wanted)
            home = self._home(name)
            await home.filled()
            self._homes[installation_id] = name
            await home.apply(wanted)
        except Refused as why:
            self._refused[installation_id] = (wanted.generation, why)
            raise
        self._refused.pop(installation_id, None)
        self._told.pop(installation_id, None)  # told again: one that was to be asleep was not believed to be ready
        self._touch(installation_id)
        self._moving |= {installation_id} if left else set()
        if wanted.asleep or self._has_moved(installation_id):
            for one in left:
                await one.remove(installation_id)

    async def confine(self, wanted: ConfinedServer) -> None:
        """Hold what is there, wherever it is, to what it may reach by now; raises RuntimeAway and Refused."""
        self._check_watched()
        faults: list[Exception] = []
        for one in self._namespaces.values():
            try:
                await one.filled()
            except Refused:  # nothing that is there can be seen or changed
                continue
            except RuntimeAway as why:
                faults.append(why)
                continue
            try:
                await one.confine(wanted)
            except (RuntimeAway, Refused) as why:
                faults.append(why)
        if faults:
            raise faults[0]

    async def remove(self, installation_id: str) -> None:
        """Delete all of it, wherever it is; what confines its pods goes last, when there are none left."""
        self._check_watched()
        self._homes.pop(installation_id, None)
        self._full_at.pop(installation_id, None)
        self._refused.pop(installation_id, None)
        self._answers_at.pop(installation_id, None)
        self._seen.forget(installation_id)
        away: list[RuntimeAway] = []
        for one in self._namespaces.values():
            try:
                await one.filled()
                await one.remove(installation_id)
            except Refused:  # nothing that is there can be seen or deleted
                continue
            except RuntimeAway as why:
                away.append(why)
        if away:
            raise away[0]

    async def present(self) -> frozenset[str]:
        """The installations of which something has been here for two minutes, in any namespace that can be asked."""
        self._check_watched()
        found, faults = frozenset[str](), []
        for one in self._namespaces.values():
            try:
                await one.filled()
            except (RuntimeAway, Refused) as why:
                faults.append(str(why))
            else:
                found |= one.copies.installations(MISSED_AFTER_S)
        if len(faults) == len(self._namespaces):
            raise RuntimeAway(faults[0])
        return found

    def _check_watched(self) -> None:
        if not self._namespaces:
            raise RuntimeAway("the cluster is not watched yet")

    def _home(self, name: str) -> Namespace:
        if name not in self._namespaces:
            ours = ", ".join(self._names)
            raise Refused("namespace_closed", f"{name} is none of ARCHWAY_SERVERS_NAMESPACES, which are {ours}")
        return self._namespaces[name]

    def _has_moved(self, installation_id: str) -> bool:
        """Whether it answers where it was applied last, for so long that nobody calls it elsewhere."""
        name, since = self._answers_at.get(installation_id, ("", 0.0))
        return name == self._homes.get(installation_id) and _now() - since >= LEFT_AFTER_S

    async def _state_of(self, installation_id: str) -> ServerState | None:
        """None of one that is not there. Of one that moves, that of the new one, unless only the old one answers."""
        states = [await self._seen.state(one, installation_id) for one in self._standing(installation_id)]
        found = [state for state in states if state is not None]
        if not found:
            return None
        state = _while_moving(found)
        if (known := self._refused.get(installation_id)) is None:
            return state
        generation, why = known
        return refused(installation_id, generation, self.place, why, state)

    def _standing(self, installation_id: str) -> list[Namespace]:
        """The namespaces in which it has a deployment: the one in which it was applied last, then the newest."""
        home = self._homes.get(installation_id, "")

        def rank(one: Namespace) -> tuple[bool, str]:
            made = one.copies.of(DEPLOYMENT, installation_id)[0]["metadata"].get("creationTimestamp")
            return one.name == home, str(made or "")

        standing = [
            one
            for one in self._namespaces.values()
            if one.copies.is_filled and one.copies.of(DEPLOYMENT, installation_id)
        ]
        return sorted(standing, key=rank, reverse=True)

    def _touch(self, installation_id: str) -> None:
        self._touched.add(installation_id)
        self._news.set()

    async def _tell(self, report: Report, wake: Callable[[str], None]) -> None:
        """Report each state that is another than the one told last; those that time changes are looked at again, and
        those that move.
        """
        self._told.clear()
        while True:
            self._news.clear()
            await self._tell_touched(report)
            for installation_id in [one for one in self._moving if self._has_moved(one)]:
                self._moving.discard(installation_id)
                wake(installation_id)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._news.wait()
                    continue
            self._touched |= {key for key, state in self._told.items() if state.phase not in SETTLED}

    async def _tell_touched(self, report: Report) -> None:
        while self._touched:
            installation_id = self._touched.pop()
            state = await self._state_of(installation_id)
            if state is None:
                self._told.pop(installation_id, None)
            elif state != self._told.get(installation_id):
                try:
                    await report(state)
                except Exception as fault:
                    log.warning("a state was not told", exc_info=fault, extra={"installation": installation_id})
                    self._touched.add(installation_id)
                    await asyncio.sleep(TELL_AGAIN_S)
                else:
                    self._told[installation_id] = state
                    self._note(state)

    def _note(self, state: ServerState) -> None:
        """Where it answers since when, if it is ready."""
        where = next((one.name for one in self._standing(state.installation_id)), "")
        if state.phase != "ready":
            self._answers_at.pop(state.installation_id, None)
        elif self._answers_at.get(state.installation_id, ("", 0.0))[0] != where:
            self._answers_at[state.installation_id] = where, _now()

    async def try_out(self, wanted: WantedServer) -> str:
        """Have the API judge the Deployment, and a pod as it would make one, which only then meets admission."""
        return await tried_out(self._cluster, wanted, self._defaults)

    async def logs(self, installation_id: str, *, lines: int, previous: bool, follow: bool) -> AsyncIterator[bytes]:
        """The latest lines of its newest pod. Asked of the cluster, not of the copies: any replica may be asked."""
        labels = f"{self._labels},{INSTALLATION}={installation_id}"
        query = {"tailLines": str(lines)}
        query |= {"previous": "true"} if previous else {}
        query |= {"follow": "true"} if follow else {}
        async for line in lines_of(self._cluster, self._names, labels, query):
            yield line


def _while_moving(states: Sequence[ServerState]) -> ServerState:
    """The state of a server that stands in these, the newest first: of that one, unless only an old one answers."""
    newest = states[0]
    answering = next((one for one in states if one.phase in ANSWERING), newest)
    if answering is newest:
        return newest
    told = newest.message or MOVES
    return replace(answering, phase="degraded", generation=newest.generation, cause=newest.cause, message=told)


def _now() -> float:
    return asyncio.get_running_loop().time()
