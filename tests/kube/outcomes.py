"""How a pod fares, in the words of the API: what kubelet, scheduler and admission write of it.

Used by the controller of the fake (`rollouts.py`) and by tests of what is made of such objects. The messages have the
form that Kubernetes 1.36 with containerd gives them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Thing = dict[str, Any]
DIGEST = "sha256:" + "5e" * 32
STARTED, ENDED = "2026-11-29T12:00:00Z", "2026-11-29T12:00:02Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What becomes of the pods of a rollout."""

    name: str
    state: Thing
    """Of the container, as `containerStatuses[].state`; {} where no container was ever tried."""
    last_state: Thing | None = None
    ready: bool = False
    restarts: int = 0
    phase: str = "Pending"
    image_id: str = ""
    not_scheduled: str = ""
    """Why no node takes it."""
    refused: str = ""
    """Why no pod may be made at all."""
    overdue: bool = False
    """Whether `progressDeadlineSeconds` have passed."""


def _waiting(reason: str, message: str = "") -> Thing:
    return {"waiting": {"reason": reason} | ({"message": message} if message else {})}


def _ended(code: int, reason: str, message: str = "") -> Thing:
    said = {"message": message} if message else {}
    return {"terminated": {"exitCode": code, "reason": reason, "startedAt": STARTED, "finishedAt": ENDED, **said}}


_RUNNING = {"running": {"startedAt": STARTED}}
_ABSENT = (
    'rpc error: code = NotFound desc = failed to pull and unpack image "registry.example/none:1": '
    "failed to resolve image: registry.example/none:1: not found"
)
_DENIED = (
    'rpc error: code = Unknown desc = failed to pull and unpack image "registry.example/private:1": failed to '
    "resolve image: pull access denied, repository does not exist or may require authorization: server message: "
    "insufficient_scope: authorization failed"
)
_NO_PROGRAM = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    'unable to start container process: error during container init: exec: "serve": executable file not found in '
    "$PATH"
)
_CRASH_LOOP = _waiting("CrashLoopBackOff", "back-off 40s restarting failed container=server pod=mcp-a_servers(1-2-3)")

READY = Outcome(name="ready", state=_RUNNING, ready=True, phase="Running", image_id=f"registry.example/a@{DIGEST}")
CREATING = Outcome(name="creating", state=_waiting("ContainerCreating"))
STARTING = Outcome(name="starting", state=_RUNNING, phase="Running", image_id=READY.image_id)
NEVER_READY = Outcome(name="never ready", state=_RUNNING, phase="Running", image_id=READY.image_id, overdue=True)
IMAGE_ABSENT = Outcome(name="image absent", state=_waiting("ErrImagePull", _ABSENT))
IMAGE_BACK_OFF = Outcome(
    name="image absent, waiting",
    state=_waiting("ImagePullBackOff", f'Back-off pulling image "registry.example/none:1": ErrImagePull: {_ABSENT}'),
)
IMAGE_DENIED = Outcome(name="image not to be had", state=_waiting("ErrImagePull", _DENIED))
IMAGE_OVERDUE = Outcome(name="image absent for long", state=IMAGE_BACK_OFF.state, overdue=True)
IMAGE_NAME = Outcome(
    name="bad image name",
    state=_waiting(
        "InvalidImageName",
        'Failed to apply default image tag "registry.example/Bad Name": couldn\'t parse image name '
        '"registry.example/Bad Name": invalid reference format',
    ),
)
SECRET_MISSING = Outcome(name="secret missing", state=_waiting("CreateContainerConfigError", 'secret "x" not found'))
UNSCHEDULABLE = Outcome(
    name="no node fits",
    state={},
    not_scheduled="0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available: "
    "3 No preemption victims found for incoming pod.",
)
REFUSED = Outcome(
    name="refused",
    state={},
    refused='pods "mcp-a-1-2" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true '
    '(pod or container "server" must set securityContext.runAsNonRoot=true)',
)
OVER_QUOTA = Outcome(
    name="over quota",
    state={},
    refused='pods "mcp-a-1-2" is forbidden: exceeded quota: small, requested: requests.memory=128Mi, '
    "used: requests.memory=1Gi, limited: requests.memory=1Gi",
)
CRASHED_ONCE = Outcome(
    name="crashed once",
    state=_ended(1, "Error", "no API key\n"),
    phase="Running",
    restarts=0,
    image_id=READY.image_id,
)
CRASH_LOOP = Outcome(
    name="crash loop",
    state=_CRASH_LOOP,
    last_state=_ended(1, "Error", "Traceback\nKeyError: 'API_KEY'\n"),
    phase="Running",
    restarts=4,
    image_id=READY.image_id,
)
OUT_OF_MEMORY = Outcome(
    name="out of memory",
    state=_CRASH_LOOP,
    last_state=_ended(137, "OOMKilled"),
    phase="Running",
    restarts=3,
    image_id=READY.image_id,
)
NO_PROGRAM = Outcome(
    name="no such program",
    state=_waiting("RunContainerError", _NO_PROGRAM),
    last_state=_ended(128, "StartError", _NO_PROGRAM),
    restarts=2,
    image_id=READY.image_id,
)


def pod_status(outcome: Outcome, image: str, address: str) -> Thing:
    """The status of a pod with one container, `server`."""
    scheduled: Thing = {"type": "PodScheduled", "status": "True"}
    if outcome.not_scheduled:
        scheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
        return {"phase": "Pending", "conditions": [scheduled | {"message": outcome.not_scheduled}]}
    unready = {"reason": "ContainersNotReady", "message": "containers with unready status: [server]"}
    conditions = [
        {"type": name, "status": str(outcome.ready)} | ({} if outcome.ready else unready)
        for name in ("Ready", "ContainersReady")
    ]
    container = {
        "name": "server",
        "image": image,
        "imageID": outcome.image_id,
        "ready": outcome.ready,
        "started": outcome.ready,
        "restartCount": outcome.restarts,
        "state": outcome.state,
        "lastState": outcome.last_state or {},
    }
    return {
        "phase": outcome.phase,
        "conditions": [*conditions, scheduled],
        "containerStatuses": [container],
        "podIP": address,
        "startTime": STARTED,
    }


def deployment_status(outcome: Outcome, generation: int, *, replicas: int, old_ready: int, new_set: str) -> Thing:
    """The status of a Deployment whose newest ReplicaSet fares so, while `old_ready` pods of an older one answer."""
    ready = old_ready or (replicas if outcome.ready else 0)
    made = 0 if outcome.refused else replicas
    enough = ready >= replicas
    available = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
    words = "has" if enough else "does not have"
    conditions: list[Thing] = [
        {"type": "Available", "status": str(enough), "reason": available}
        | {"message": f"Deployment {words} minimum availability."}
    ]
    if outcome.overdue:
        late = {"status": "False", "reason": "ProgressDeadlineExceeded"}
        conditions.append(
            {"type": "Progressing", **late, "message": f'ReplicaSet "{new_set}" has timed out progressing.'}
        )
    else:
        reason = "NewReplicaSetAvailable" if outcome.ready else "ReplicaSetUpdated"
        conditions.append({"type": "Progressing", "status": "True", "reason": reason})
    if outcome.refused:
        refused = {"status": "True", "reason": "FailedCreate", "message": outcome.refused}
        conditions.append({"type": "ReplicaFailure", **refused})
    counts = {
        "replicas": made + old_ready,
        "updatedReplicas": made,
        "readyReplicas": ready,
        "availableReplicas": ready,
    }
    counts["unavailableReplicas"] = max(replicas - ready, 0) + (made if old_ready and not outcome.ready else 0)
    said = {name: count for name, count in counts.items() if count}
    return {"observedGeneration": generation, **said, "conditions": conditions}
