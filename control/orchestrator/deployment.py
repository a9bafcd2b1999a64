"""The Deployment of a server: one pod, hardened, of which a new one is ready before the old one goes."""

import math
from typing import Any, Final

from control.orchestrator.container import SCRATCH, container
from control.orchestrator.defaults import Defaults
from control.orchestrator.identity import ASLEEP, ENVIRONMENT, GENERATION, PATH, RESTARTS, metadata, selecting
from control.orchestrator.secret_objects import FILE, content_name, key_of, pull_name
from control.servers.runtime import Refused
from control.servers.wanted import WantedServer

USER: Final = 10_001
"""Uid and gid of what runs in a pod; those of the base image."""
PROGRESS_S: Final = 330
"""After which a change that does not become ready is told to have failed: longer than one start may take."""
READY_S: Final = 3
"""For which it must have been ready to count as available."""
END_S: Final = 30
"""For it to end once its calls have; a bridge needs less than half of that."""
_TMP: Final = "256Mi"


def deployment(wanted: WantedServer, defaults: Defaults) -> dict[str, Any]:
    """The Deployment; raises Refused for files that no folder can hold."""
    said = metadata(wanted, defaults)
    told = {GENERATION: str(wanted.generation), PATH: wanted.path}
    told |= {ENVIRONMENT: wanted.environment_name} if wanted.environment_name else {}
    told |= {ASLEEP: "true"} if wanted.asleep else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**said, "annotations": told},
        "spec": {
            "replicas": 0 if wanted.asleep else 1,
            "selector": {"matchLabels": selecting(defaults.instance_id, wanted.installation_id)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "minReadySeconds": READY_S,
            "progressDeadlineSeconds": PROGRESS_S,
            "revisionHistoryLimit": 2,
            "template": {
                # What is here restarts the server when it changes: its generation, which an edited description
                # raises too, is not.
                "metadata": {"labels": said["labels"], "annotations": {RESTARTS: str(wanted.restarts_wanted)}},
                "spec": _pod(wanted, defaults),
            },
        },
    }


def _pod(wanted: WantedServer, defaults: Defaults) -> dict[str, Any]:
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": END_S + math.ceil(wanted.drain_s),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container(wanted, defaults)],
        "volumes": _volumes(wanted, defaults),
    }
    if names := [pull_name(wanted, one) for one in wanted.pull_secrets]:
        pod["imagePullSecrets"] = [{"name": name} for name in dict.fromkeys(names)]
    if selector := {**defaults.node_selector, **wanted.node_selector}:
        pod["nodeSelector"] = selector
    if tolerations := wanted.tolerations or defaults.tolerations:
        pod["tolerations"] = [dict(one) for one in tolerations]
    return pod


def _volumes(wanted: WantedServer, defaults: Defaults) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [
        {"name": "home", "emptyDir": {"sizeLimit": SCRATCH}},
        {"name": "tmp", "emptyDir": {"sizeLimit": _TMP}},
    ]
    if not wanted.files:
        return made
    items = [
        {"key": key_of(FILE, number), "path": _segment(name)} for number, name in enumerate(sorted(wanted.files))
    ]
    held = {"secretName": content_name(wanted, defaults), "defaultMode": 0o440, "items": items}
    return [*made, {"name": "files", "secret": held}]


def _segment(name: str) -> str:
    """The name of a file, if it is one segment of a path."""
    if name in {"", ".", ".."} or name.startswith("..") or not name.isprintable() or {"/", "\\"} & set(name):
        raise Refused("configuration", f"a file of it cannot be named {name!r}: give it a plain name")
    return name
