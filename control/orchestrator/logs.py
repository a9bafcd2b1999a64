"""The log of a server in a cluster, read of the namespace that its newest pod is in. Asked of the cluster alone."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from control.orchestrator.cluster import Cluster, ClusterSaid
from control.orchestrator.container import CONTAINER
from control.orchestrator.kinds import POD, SECRET, Object
from control.orchestrator.secret_objects import without_secrets
from control.servers.runtime import RuntimeAway

NO_LOG: Final = b"unable to retrieve container logs"
"""What comes with a status 200 instead of the log of a run that is no longer kept."""
NO_RUN_YET: Final = frozenset({400, 404})
"""Its container has not run, or not twice; or its pod has just gone."""
_FORBIDDEN: Final = 403


async def lines_of(
    cluster: Cluster, namespaces: Sequence[str], labels: str, query: Mapping[str, str]
) -> AsyncIterator[bytes]:
    """Lines of the newest pod that has these labels, secrets taken out; none where there is no such pod, or no such
    run of it. `query`: of the API's log. Raises RuntimeAway.
    """
    try:
        pod = await _newest(cluster, namespaces, labels)
        if pod is None:
            return
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        redact = without_secrets((await cluster.list(SECRET, namespace, labels))[0])
        first = True
        async for line in cluster.log(POD, namespace, name, {**query, "container": CONTAINER}):
            if first and line.startswith(NO_LOG):
                return
            first = False
            yield redact(line.decode(errors="replace")).encode()
    except ClusterSaid as said:
        if said.status not in NO_RUN_YET:
            raise RuntimeAway(str(said)) from None


async def _newest(cluster: Cluster, namespaces: Sequence[str], labels: str) -> Object | None:
    """Where one namespace may not be asked and another may, what is in that one; raises ClusterSaid."""
    pods: list[Object] = []
    refusals: list[ClusterSaid] = []
    for namespace in namespaces:
        try:
            pods += (await cluster.list(POD, namespace, labels))[0]
        except ClusterSaid as said:
            if said.status != _FORBIDDEN:
                raise
            refusals.append(said)
    if len(refusals) == len(namespaces):
        raise refusals[0]
    return max(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")), default=None)
