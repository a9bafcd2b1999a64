"""What is asked of the cluster to say why one server is not ready: events of its pod, and what its bridge wrote.

Only for a server that is not ready, since both are calls; what cannot be had is done without.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from control.orchestrator.bridge_words import LINES, BridgeSaid, bridge_said, packages_said
from control.orchestrator.cluster import Cluster, ClusterSaid
from control.orchestrator.container import CONTAINER
from control.orchestrator.kinds import EVENT, POD, Object
from control.registry.resolved_packages import Packages
from control.servers.runtime import RuntimeAway
from core.bridge_terms import TOKEN

_NOTHING = (RuntimeAway, ClusterSaid)


async def events_of(cluster: Cluster, namespace: str, pod: Mapping[str, Any]) -> Sequence[Object]:
    """The cluster's events about this pod; none where it does not tell them."""
    try:
        found, _ = await cluster.list(EVENT, namespace, fields=f"involvedObject.uid={pod['metadata']['uid']}")
    except _NOTHING:
        return ()
    return found


async def said_by_the_bridge(cluster: Cluster, namespace: str, pod: Mapping[str, Any]) -> BridgeSaid | None:
    """What the bridge in this pod wrote last of its server; None where it wrote nothing, or has not run."""
    query = {"container": CONTAINER, "tailLines": str(LINES)}
    try:
        return bridge_said([line async for line in cluster.log(POD, namespace, pod["metadata"]["name"], query)])
    except _NOTHING:
        return None


async def packages_that_run(cluster: Cluster, namespace: str, pod: Mapping[str, Any]) -> Packages | None:
    """The packages of the server in this pod, as its bridge wrote once it answered; None where it cannot be asked. Of
    one without a bridge nobody is asked.
    """
    variables = (one["name"] for container in pod["spec"]["containers"] for one in container.get("env") or ())
    if TOKEN not in variables:
        return []
    query = {"container": CONTAINER, "tailLines": str(LINES)}
    try:
        return packages_said([line async for line in cluster.log(POD, namespace, pod["metadata"]["name"], query)])
    except _NOTHING:
        return None
