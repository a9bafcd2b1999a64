"""Looks at the cluster that servers run in, as the settings and the database have it.

Made by `control/hosted_servers.py`, where servers run in a cluster. What is found is kept for whoever saves an egress
policy, and told to those who run servers.
"""

from pathlib import Path
from typing import Final

from control.orchestrator.cluster import Cluster
from control.orchestrator.egress.detection import Said
from control.orchestrator.egress.looks import Looks
from control.registry.cluster_dns import as_resolved
from control.registry.egress_providers import ClusterFound
from control.settings import ControlSettings
from control.store import cluster_capabilities
from control.store.pool import Pool, transaction

RESOLVER: Final = Path("/etc/resolv.conf")
_LONGEST_RESOLVER: Final = 16_384


async def looks_at(cluster: Cluster, settings: ControlSettings, pool: Pool) -> Looks:
    """What looks at it. Until it has, nobody knows what it holds, and the database says so."""
    async with transaction(pool) as connection:
        await cluster_capabilities.expect(connection)

    async def before() -> ClusterFound | None:
        async with transaction(pool, readonly=True) as connection:
            return await cluster_capabilities.found(connection)

    async def keep(what: ClusterFound) -> None:
        async with transaction(pool) as connection:
            await cluster_capabilities.keep(connection, what)

    said = Said(
        provider=settings.egress_provider,
        dns=as_resolved(_told_to_our_pod(settings), settings.named_dns),
        never=settings.never_reached,
    )
    return Looks(cluster, said, before, keep)


def _told_to_our_pod(settings: ControlSettings) -> str:
    """What the resolver of a pod is told; '' where we are outside of the cluster, and it is another's."""
    if settings.kubeconfig or not RESOLVER.is_file():
        return ""
    return RESOLVER.read_text(errors="replace")[:_LONGEST_RESOLVER]
