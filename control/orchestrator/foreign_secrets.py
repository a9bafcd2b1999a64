"""Pull secrets that somebody else keeps in the cluster: used only where their keeper has said that they may be.

An entry names them by name alone, and a namespace may hold secrets of many; the label `archway.dev/pull-secret=true`
is its keeper's word. https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
"""

from control.orchestrator.cluster import Cluster
from control.orchestrator.kinds import SECRET
from control.registry.pull_secret import OPT_IN_LABEL
from control.servers.runtime import Refused
from control.servers.wanted import WantedServer


async def check_foreign_secrets(cluster: Cluster, namespace: str, wanted: WantedServer) -> None:
    """Refused `pull_secret_missing` where a secret that is not ours is not there, or may not be used; one call of the
    API, and none where the server names no such secret.
    """
    named = {one.name for one in wanted.pull_secrets if not one.docker_config}
    if not named:
        return
    offered, _ = await cluster.list(SECRET, namespace, f"{OPT_IN_LABEL}=true")
    missing = sorted(named - {one["metadata"]["name"] for one in offered})
    if missing:
        raise Refused(
            "pull_secret_missing",
            f"the namespace {namespace} has no secret {', '.join(missing)} with the label {OPT_IN_LABEL}=true",
        )
