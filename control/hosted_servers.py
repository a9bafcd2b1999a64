"""The servers that this control runs: the runtime that the settings name, the loop that drives it, and who leads.

Composed once by `control/replica.py`. Every replica has the runtime, so that it can read logs; what runs is looked
after by the one that leads. In a cluster that is whoever has the lease, else the one control that has the processes.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from control.changes.safeguards import SAMPLE, Safeguards
from control.credentials.usable import Renewals
from control.orchestrator.defaults import Defaults
from control.processes.runtime import process_runtime
from control.registry.enforcement import Enforcement
from control.registry.row_seals import RowSeals
from control.registry.server_state import ServerState
from control.servers import wanting
from control.servers.loop import Rows, ServerLoop
from control.servers.runtime import Refused, Report, Runtime
from control.servers.tokens_at_start import TokensAtStart, TokenWanted
from control.servers.wanted import ConfinedServer, WantedServer
from control.settings import ControlSettings
from control.sleeping import Heard, Sleeper
from control.store import cluster_capabilities, enforcement, environments, publication, server_states, wanted_servers
from control.store.pool import Pool, transaction
from core.tasks import Tasks, forever

if TYPE_CHECKING:
    from control.orchestrator.probing.rounds import ProbeRows

READS_AT_ONCE: Final = 4
"""Of the loop in the database: it shares the pool with people, who wait."""
AGAIN_S: Final = 1.0
CLOSE_S: Final = 8.0
"""For processes to end, and for giving back the lease."""
_NAMES: Final = "names of secrets in a cluster"

Lead = Callable[[Callable[[], Coroutine[Any, Any, None]]], Awaitable[None]]
"""Runs work whenever this control leads."""
Disconnect = Callable[[], Awaitable[None]]


class Works(Protocol):
    """What runs beside the loop while this control leads."""

    async def run(self) -> None:
        """Do it, until cancelled."""

    def wake(self) -> None:
        """Rows may have changed."""


class HostedServers:
    """The servers of one control, looked after from `start` to `close` whenever this control leads."""

    def __init__(
        self,
        runtime: Runtime,
        loop: ServerLoop,
        sleeper: Sleeper | None,
        lead: Lead,
        disconnect: Disconnect,
        probes: Works | None = None,
    ) -> None:
        self.runtime = runtime
        self._loop, self._sleeper, self._lead, self._disconnect = loop, sleeper, lead, disconnect
        self._probes = probes
        self._tasks = Tasks("servers")
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._running = self._tasks.spawn("run", forever("servers", lambda: self._lead(self._work), AGAIN_S))

    def wake(self) -> None:
        """Rows may have changed."""
        self._loop.wake()
        if self._probes is not None:
            self._probes.wake()

    async def _work(self) -> None:
        works = {"sleeper": self._sleeper, "probes": self._probes}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loop.run(), name="servers/loop")
            for name, one in works.items():
                if one is not None:
                    group.create_task(forever(f"servers/{name}", one.run, AGAIN_S), name=f"servers/{name}")

    async def close(self) -> None:
        """End what runs here, or hand it over; what runs in a cluster goes on."""
        if self._running is not None:
            self._running.cancel()  # once: each further one would cut short how processes end
            _ = await asyncio.wait({self._running}, timeout=CLOSE_S)
        await self._tasks.close()
        await self._disconnect()


def safeguards_of(settings: ControlSettings, seals: RowSeals) -> Safeguards:
    """What changes stand on beside their transaction, with what servers have in common in the settings' cluster."""
    return Safeguards(seals, settings.addresses, settings.own_urls, settings.cluster_namespaces, _in_common(settings))


def _in_common(settings: ControlSettings) -> Defaults:
    """What the settings say of all servers in a cluster, in the place of what a sample has."""
    return replace(
        SAMPLE,
        namespace=next(iter(settings.namespaces), SAMPLE.namespace),
        proxies_namespace=settings.release_namespace or SAMPLE.proxies_namespace,
        base_image=settings.base_image or SAMPLE.base_image,
        node_selector=settings.node_selector,
        tolerations=settings.tolerations,
    )


async def hosted_servers(
    settings: ControlSettings,
    pool: Pool,
    seals: RowSeals,
    report: Report,
    renewals: Renewals,
    heard: Heard | None = None,
) -> HostedServers | None:
    """What the settings want; None where no server is run. `renewals`: get the tokens that programs are started with.
    `heard`: says whether proxies have heard that a server may be ended; None: none is, however idle. Raises
    BadSetting and StoreUnavailable.
    """
    match settings.runtime:
        case "":
            await _no_cluster(pool)
            return None
        case "process":
            await _no_cluster(pool)
            runtime = process_runtime(settings)
            loop = ServerLoop(runtime, _rows(pool, seals, TokensAtStart(renewals), settings.base_image), report)
            return HostedServers(runtime, loop, _sleeper(pool, runtime, heard), _always, _nothing)
        case "cluster":
            return await _in_a_cluster(settings, pool, seals, report, renewals, heard)


async def _in_a_cluster(
    settings: ControlSettings, pool: Pool, seals: RowSeals, report: Report, renewals: Renewals, heard: Heard | None
) -> HostedServers:
    # Imported here: the client of Kubernetes takes 70 MB, which a control without a cluster does not need.
    from control.cluster_looks import looks_at
    from control.orchestrator.cluster import connected
    from control.orchestrator.kinds import WATCHED
    from control.orchestrator.lease import Lease
    from control.orchestrator.probing.prober import Prober
    from control.orchestrator.probing.rounds import ProbeRounds
    from control.orchestrator.runtime import ClusterRuntime

    async with transaction(pool, readonly=True) as connection:
        instance_id = await publication.instance_id(connection)
    name_key = settings.secret_ring.current.derive(_NAMES)
    defaults = replace(_in_common(settings), instance_id=instance_id, name_key=name_key)
    cluster = await connected(settings.kubeconfig, watches=len(WATCHED) * len(settings.namespaces))
    looks = await looks_at(cluster, settings, pool)
    runtime = ClusterRuntime(cluster, defaults, settings.namespaces, looks.look)
    loop = ServerLoop(runtime, _rows(pool, seals, TokensAtStart(renewals), settings.base_image), report)
    holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    lease = Lease(cluster, settings.release_namespace, f"archway-servers-{instance_id[-12:]}", holder)
    prober = Prober(cluster, defaults, settings.probed, lambda: looks.known)
    probes = ProbeRounds(prober, _probe_rows(pool), settings.namespaces)
    return HostedServers(runtime, loop, _sleeper(pool, runtime, heard), lease.lead, cluster.close, probes)


async def _no_cluster(pool: Pool) -> None:
    """There is none to ask what egress it can hold."""
    async with transaction(pool) as connection:
        await cluster_capabilities.forget(connection)


def _probe_rows(pool: Pool) -> "ProbeRows":
    from control.orchestrator.probing.rounds import Confined, ProbeRows

    async def confined() -> list[Confined]:
        async with transaction(pool, readonly=True) as connection:
            found = await environments.with_a_policy(connection)
            rules = await environments.rules_by_id(connection, found)
            return [(one, rules[one.id]) for one in found]

    async def last() -> Mapping[str, enforcement.LastProbe]:
        async with transaction(pool, readonly=True) as connection:
            return await enforcement.last_probes(connection)

    async def keep(environment_id: str, found: Sequence[Enforcement], of: str) -> None:
        async with transaction(pool) as connection:
            await enforcement.keep(connection, environment_id, found, of)

    return ProbeRows(confined, last, keep)


def _sleeper(pool: Pool, runtime: Runtime, heard: Heard | None) -> Sleeper | None:
    return None if heard is None else Sleeper(pool, runtime.place, heard)


def _rows(pool: Pool, seals: RowSeals, tokens: TokensAtStart, base_image: str) -> Rows:
    places = asyncio.Semaphore(READS_AT_ONCE)

    async def versions() -> Mapping[str, str]:
        async with transaction(pool, readonly=True) as connection:
            return await wanted_servers.versions(connection)

    async def loaded(installation_id: str) -> WantedServer | TokenWanted | None:
        async with places, transaction(pool) as connection:
            return await wanting.load(connection, seals, tokens, installation_id, base_image)

    async def wanted(installation_id: str) -> WantedServer | None:
        found = await loaded(installation_id)
        if isinstance(found, TokenWanted):
            await tokens.get(found)
            found = await loaded(installation_id)
        if isinstance(found, TokenWanted):
            raise Refused("no_token", "its provider gives tokens that end at once", ends=True)
        return found

    async def confined(installation_id: str) -> ConfinedServer | None:
        async with places, transaction(pool, readonly=True) as connection:
            return await wanting.confined(connection, installation_id)

    async def kept(installation_id: str) -> ServerState | None:
        async with places, transaction(pool, readonly=True) as connection:
            return await server_states.one(connection, installation_id)

    return Rows(versions, wanted, confined, kept)


async def _always(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Processes are those of this control."""
    await work()


async def _nothing() -> None:
    """Nothing is connected to."""
