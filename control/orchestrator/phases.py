"""How a server does in a cluster, from its Deployment, ReplicaSets and pods as the API says them. Pure.

What counts is a pod of the newest ReplicaSet: conditions of a Deployment call a server available that crashes at
once, and say nothing of why one is not. The Deployment is asked where no pod may be made, and whether the time for a
start is over, so that no clock is needed here. While a pod of an older change is ready, calls are answered.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from control.orchestrator.bridge_words import BridgeSaid
from control.orchestrator.container import CONTAINER, PORT
from control.orchestrator.identity import ASLEEP, GENERATION, PATH
from control.orchestrator.pod_words import (
    FAILED_AFTER,
    NOT_ANSWERING,
    Words,
    is_ready,
    pulled_image,
    restarts_of,
    words_of,
)
from control.registry.server_state import LONGEST_MESSAGE, ServerState

Thing = Mapping[str, Any]
Redact = Callable[[str], str]
REVISION: Final = "deployment.kubernetes.io/revision"
ENDED: Final = frozenset({"Failed", "Succeeded"})
"""Phases of pods that are left over, such as evicted ones."""
_BEHIND_A_BRIDGE: Final = (Words("starting"), NOT_ANSWERING)
"""What is seen of a pod whose bridge has no server that answers."""
LATE: Final = "It has not answered in the time that a start may take."


def state_of(
    installation_id: str,
    deployment: Thing,
    replica_sets: Sequence[Thing],
    pods: Sequence[Thing],
    *,
    events: Sequence[Thing] = (),
    bridge: BridgeSaid | None = None,
    redact: Redact = str,
) -> ServerState:
    """The state. `events` of its pods, where they were read; `bridge`: what the log of its newest pod says
    (`bridge_words.py`); `redact` takes secrets out of what programs said.
    """
    newest = _newest_set(deployment, replica_sets)
    mine = [pod for pod in pods if newest is not None and _is_owned(pod, newest)]
    pod = _newest_pod(mine)
    words = _words(deployment, pod, events, bridge)
    if words.phase not in {"ready", "stopping", "asleep"} and any(is_ready(one) for one in pods):
        words = replace(words, phase="degraded", message=words.message or "Its latest change is being started.")
    return ServerState(
        installation_id=installation_id,
        place="cluster",
        phase=words.phase,
        generation=int(_annotations(deployment).get(GENERATION, 0)),
        cause=words.cause,
        message=redact(words.message)[:LONGEST_MESSAGE],
        restarts=restarts_of(pod) if pod else 0,
        endpoint="" if words.phase == "asleep" else _endpoint(deployment),
        isolation="kubernetes",
        resolved={"image": image} if pod and (image := pulled_image(pod)) else None,
    )


def newest_pod(deployment: Thing, replica_sets: Sequence[Thing], pods: Sequence[Thing]) -> Thing | None:
    """The pod whose state is the server's, and whose log is its log."""
    newest = _newest_set(deployment, replica_sets)
    return _newest_pod([pod for pod in pods if newest is not None and _is_owned(pod, newest)])


def _words(deployment: Thing, pod: Thing | None, events: Sequence[Thing], bridge: BridgeSaid | None) -> Words:
    metadata, status = deployment["metadata"], deployment.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return Words("stopping")
    if deployment["spec"].get("replicas") == 0:
        return Words("asleep" if ASLEEP in _annotations(deployment) else "stopping")
    if status.get("observedGeneration", 0) < metadata.get("generation", 1):
        return Words("pending")
    refused = _condition(status, "ReplicaFailure", "True")
    if refused is not None and pod is None:
        return Words("failed", "refused_by_cluster", refused.get("message", ""))
    if pod is None:
        return Words("pending")
    words = words_of(pod, events)
    if bridge is not None and words in _BEHIND_A_BRIDGE:
        words = _of_bridge(bridge)
    return _if_late(words, _condition(status, "Progressing", "False") is not None)


def _of_bridge(said: BridgeSaid) -> Words:
    fails = said.times >= FAILED_AFTER or said.cause in {"no_such_program", "no_token"}
    return Words("failed" if fails else "starting", said.cause, said.message)


def _if_late(words: Words, late: bool) -> Words:
    """What may still become ready has failed once the time for it is over."""
    if words.phase in {"ready", "failed"} or not late:
        return words
    return Words("failed", words.cause or "starting_too_long", words.message or LATE)


def _condition(status: Thing, name: str, value: str) -> Thing | None:
    conditions: Sequence[Thing] = status.get("conditions") or ()
    return next((one for one in conditions if one["type"] == name and one["status"] == value), None)


def _newest_set(deployment: Thing, replica_sets: Sequence[Thing]) -> Thing | None:
    owned = [one for one in replica_sets if _is_owned(one, deployment)]
    return max(owned, key=lambda one: int(_annotations(one).get(REVISION, 0)), default=None)


def _newest_pod(pods: Sequence[Thing]) -> Thing | None:
    """The latest that neither ended nor is about to; else the latest at all."""
    alive = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp") and _phase_of(pod) not in ENDED]
    return max(alive or pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")), default=None)


def _phase_of(pod: Thing) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


def _is_owned(thing: Thing, owner: Thing) -> bool:
    return any(one["uid"] == owner["metadata"]["uid"] for one in thing["metadata"].get("ownerReferences") or ())


def _annotations(thing: Thing) -> Mapping[str, str]:
    found: Mapping[str, str] = thing["metadata"].get("annotations") or {}
    return found


def _endpoint(deployment: Thing) -> str:
    """Where proxies call it: the name of its service is the Deployment's."""
    metadata = deployment["metadata"]
    containers = deployment["spec"]["template"]["spec"]["containers"]
    ports = next((one.get("ports") or () for one in containers if one["name"] == CONTAINER), ())
    port = next((one["containerPort"] for one in ports if one.get("name") == PORT), None)
    path = _annotations(deployment).get(PATH, "")
    if port is None or not path.startswith("/"):
        return ""
    return f"http://{metadata['name']}.{metadata['namespace']}.svc:{port}{path}"
