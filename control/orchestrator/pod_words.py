"""What a pod of a server says of itself: a phase, a cause and a message, from the words of kubelet and scheduler.

Pure; called by `phases.py`, which knows which pod counts. Sources: `PodStatus` of the API
(https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodStatus), and the reasons that
kubelet gives a waiting container (`pkg/kubelet/images/types.go`, `pkg/kubelet/kuberuntime/kuberuntime_container.go`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from control.orchestrator.container import CONTAINER
from control.registry.server_state import Phase

Thing = Mapping[str, Any]
FAILED_AFTER: Final = 3
"""Ends of a program, after which it is said to have failed: it is started again, later and later."""
_PULLING: Final = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError"}
    | {"SignatureValidationFailed"}
)
_NOT_STARTED: Final = frozenset({"CreateContainerError", "RunContainerError", "StartError", "ContainerCannotRun"})
_NO_PROGRAM: Final = ("executable file not found", "no such file or directory", "permission denied: unknown")
_KILLED: Final = "OOMKilled"
_PULL_WORDS: Final = "ErrImagePull: "
_SECRET_WORDS: Final = ("secret ", "couldn't find key")


@dataclass(frozen=True, slots=True)
class Words:
    """How one pod of a server fares, in the phases and causes of states."""

    phase: Phase
    cause: str = ""
    message: str = ""


NOT_ANSWERING: Final = Words("failed", "not_answering", "It no longer answers when it is asked whether it is well.")


def words_of(pod: Thing, events: Sequence[Thing] = ()) -> Words:
    """How it fares. `events`: those of the cluster that may be about it."""
    status = pod.get("status") or {}
    if is_ready(pod):
        return Words("ready")
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return Words("pending", "unschedulable", condition.get("message", ""))
    told = _about(pod, events)
    for one in status.get("initContainerStatuses") or ():
        if (before := _of_init_container(one, told)) is not None:
            return before
    container = next((one for one in status.get("containerStatuses") or () if one["name"] == CONTAINER), None)
    if container is None:
        return Words("pending")
    state = container.get("state") or {}
    if "waiting" in state:
        return _of_waiting(container, state["waiting"], told)
    if "terminated" in state:
        return _of_ended(container, state["terminated"])
    return _of_running(container)


def is_ready(pod: Thing) -> bool:
    """Whether calls reach it: it has answered, and is not about to end."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def restarts_of(pod: Thing) -> int:
    """How often its program ended and was started again."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return sum(int(one.get("restartCount", 0)) for one in statuses)


def pulled_image(pod: Thing) -> str:
    """Its image with the digest that the tag stood for; '' while that is not known."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    found = next((one.get("imageID", "") for one in statuses if one["name"] == CONTAINER), "")
    return str(found).partition("://")[2] or str(found)


def _of_init_container(container: Thing, told: Sequence[str]) -> Words | None:
    """How a program that runs before the server fares; None for one that has done its work."""
    state = container.get("state") or {}
    ended = state.get("terminated")
    if ended is not None and ended.get("exitCode", 0) == 0:
        return None
    if "waiting" in state:
        found = _of_waiting(container, state["waiting"], told)
    else:
        found = Words("starting") if ended is None else _of_ended(container, ended)
    return replace(found, message=f"Init container {container['name']}: {found.message}") if found.cause else found


def _of_waiting(container: Thing, waiting: Thing, told: Sequence[str]) -> Words:
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in _PULLING:
        return _of_pulling(message, told)
    if reason == "InvalidImageName":
        return Words("failed", "image_name", message)
    if reason == "CreateContainerConfigError":
        about_secret = any(words in message for words in _SECRET_WORDS)
        return Words("failed", "secret_missing" if about_secret else "configuration", message)
    if reason in _NOT_STARTED:
        return Words("failed", _cause_of_start(message), message)
    ended = (container.get("lastState") or {}).get("terminated")
    if reason == "CrashLoopBackOff" and ended:
        return _of_ended(container, ended)
    for event in told:
        if "MountVolume" in event and any(words in event for words in _SECRET_WORDS):
            return Words("failed", "secret_missing", event)
    return Words("pulling")


def _of_pulling(message: str, told: Sequence[str]) -> Words:
    missing = [event for event in told if "image pull secrets" in event]
    if missing:
        return Words("pulling", "pull_secret_missing", f"{missing[-1]}\n{message}")
    # Waiting for the next try it repeats what the registry said, behind words of its own; older ones only wait.
    answer = message.partition(_PULL_WORDS)[2] or message
    if answer.startswith("Back-off"):
        answer = next((event for event in reversed(told) if event.startswith("Failed to pull image")), answer)
    return Words("pulling", "image_pull", answer)


def _of_ended(container: Thing, ended: Thing) -> Words:
    message = ended.get("message", "").strip()
    count = int(container.get("restartCount", 0))
    phase: Phase = "failed" if count >= FAILED_AFTER else "starting"
    if ended.get("reason") == _KILLED:
        return Words(phase, "out_of_memory", _ended_words(ended))
    if ended.get("reason") in _NOT_STARTED:
        return Words("failed", _cause_of_start(message), message)
    said = f"{_ended_words(ended)}\n{message}".strip()
    return Words(phase, "crashed", said)


def _of_running(container: Thing) -> Words:
    ended = (container.get("lastState") or {}).get("terminated")
    if container.get("started"):
        return NOT_ANSWERING
    if ended:  # it runs again, and has not answered since
        before = _of_ended(container, ended)
        return Words("starting", before.cause, before.message)
    return Words("starting")


def _ended_words(ended: Thing) -> str:
    if ended.get("signal"):
        return f"It was ended by signal {ended['signal']}."
    return f"It ended with status {ended.get('exitCode', 0)}."


def _cause_of_start(message: str) -> str:
    return "no_such_program" if any(words in message for words in _NO_PROGRAM) else "crashed"


def _about(pod: Thing, events: Sequence[Thing]) -> list[str]:
    """What the events about this pod say, the oldest first."""
    uid = pod["metadata"].get("uid")
    return [str(one.get("message", "")) for one in events if one.get("involvedObject", {}).get("uid") == uid]
