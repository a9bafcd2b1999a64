"""Init containers of an override, confined as the server itself is: nothing of that is theirs to say. Pure.

They end before the server starts, so that what they may use counts once: a pod is given the most that any one of its
containers asks for at a time. Programs beside the server (`restartPolicy: Always`) are none of them.
"""

from typing import Any

from control.orchestrator.container import HOME, TMP
from control.orchestrator.kinds import Object
from control.orchestrator.override.together import own_secret


def completed(merged: Object, deployment: Object) -> Object:
    """The merged Deployment with its init containers confined, and with their secrets' names filled in."""
    pod = merged["spec"]["template"]["spec"]
    if not pod.get("initContainers"):
        return merged
    server = deployment["spec"]["template"]["spec"]["containers"][0]
    made = [_confined(one, pod["containers"][0], server) for one in pod["initContainers"]]
    template = {**merged["spec"]["template"], "spec": {**pod, "initContainers": made}}
    return {**merged, "spec": {**merged["spec"], "template": template}}


def _confined(said: dict[str, Any], server: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """`server`: the container as it will run, whose resources these are; `before`: with the secrets that it has."""
    mounts = said.get("volumeMounts") or []
    if all(one["mountPath"] != TMP for one in mounts):
        mounts = [{"name": "tmp", "mountPath": TMP}, *mounts]
    ours = [{"name": "HOME", "value": HOME if _is_mounted(mounts) else TMP}, {"name": "TMPDIR", "value": TMP}]
    return {
        **said,
        "env": [*ours, *(_with_its_secret(one, before) for one in said.get("env") or ())],
        "resources": server["resources"],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": server["securityContext"],
        "volumeMounts": mounts,
    }


def _is_mounted(mounts: list[dict[str, Any]]) -> bool:
    return any(one["mountPath"] == HOME for one in mounts)


def _with_its_secret(variable: dict[str, Any], server: dict[str, Any]) -> dict[str, Any]:
    reference = (variable.get("valueFrom") or {}).get("secretKeyRef")
    if reference is None:
        return variable
    return {**variable, "valueFrom": {"secretKeyRef": own_secret(server, reference["key"]) or {}}}
