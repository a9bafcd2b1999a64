"""Whether a cluster would run a server, asked of its API without running it.

The API takes nearly any Deployment: Pod Security, quotas and other admission judge only the pods that are made of it
later. So a pod of its template is judged too. That needs the right to create pods, which control has where the
operator gave it (https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run).
"""

from typing import Final

from control.orchestrator.cluster import Cluster, ClusterSaid
from control.orchestrator.defaults import Defaults
from control.orchestrator.kinds import DEPLOYMENT, POD, Object
from control.orchestrator.objects import objects_of
from control.servers.runtime import Refused, RuntimeAway
from control.servers.wanted import WantedServer

_NO_RIGHT: Final = " cannot create resource "
"""Between the user and what they may not: what the API's own authorization says, and no admission does."""
_CONFLICT: Final = 409


async def tried_out(cluster: Cluster, wanted: WantedServer, defaults: Defaults) -> str:
    """'' where it would be run, else why that cannot be told; raises Refused where it would not."""
    made = next(one for one in objects_of(wanted, defaults) if one["kind"] == DEPLOYMENT.kind)
    namespace = made["metadata"]["namespace"]
    try:
        await cluster.create(DEPLOYMENT, namespace, made, dry=True)
        await cluster.create(POD, namespace, _pod_of(made), dry=True)
    except RuntimeAway as why:
        return f"The override was not tried out in the cluster: {why}."
    except ClusterSaid as said:
        if _NO_RIGHT in said.message:
            return (
                "The override was not tried out whole: Archway may not create pods in the servers' namespace, which "
                "it needs to have Pod Security and quotas judge one without starting it."
            )
        if said.status != _CONFLICT:
            raise Refused("refused_by_cluster", said.message) from None
    return ""


def _pod_of(deployment: Object) -> Object:
    """A pod as the Deployment's controller makes it."""
    metadata, template = deployment["metadata"], deployment["spec"]["template"]
    named = {"name": f"{metadata['name']}-tried", "namespace": metadata["namespace"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template["metadata"], **named},
        "spec": template["spec"],
    }
