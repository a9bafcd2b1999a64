"""Whether all that is ours in a Deployment is, after a merge, as it was: the second look behind the list. Pure.

What may differ is taken out of both, and the rest must be equal. So whatever a merge could do that the list did not
foresee is refused: another container, another label that policies select by, another secret.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final

from control.orchestrator.kinds import Object
from control.orchestrator.override.faults import Fault
from control.orchestrator.override.may_be_said import is_free

_OF_THE_POD: Final = frozenset({"nodeSelector", "tolerations", "hostAliases", "initContainers"})
_USERS: Final = frozenset({"runAsUser", "runAsGroup", "fsGroup"})
_DISK: Final = "ephemeral-storage"
_REFERRING: Final = frozenset({"secretKeyRef", "configMapKeyRef", "secretRef", "configMapRef", "fileKeyRef"})
_REFERRING_NAMES: Final = frozenset({"secretName", "claimName", "serviceAccountName", "serviceAccount"})


def not_kept(before: Object, after: Object) -> list[Fault]:
    """What of ours is no longer as it was, each part by its path."""
    was, now = _ours(before, before), _ours(after, before)
    changed = [path for path in sorted(was.keys() | now.keys()) if was.get(path) != now.get(path)]
    faults = [Fault(path, "is Archway's, and must stay as it is") for path in changed]
    if strange := sorted(set(_references(after)) - set(_references(before))):
        faults.append(Fault("spec.template.spec", f"would get what is not the server's own: {strange[0]}"))
    return faults


def _ours(deployment: Object, before: Object) -> dict[str, Any]:
    """By their paths, the parts of a Deployment that no override changes; `before` says what was ours in lists."""
    spec = deployment.get("spec") or {}
    template = spec.get("template") or {}
    pod = template.get("spec") or {}
    base = before["spec"]["template"]["spec"]
    containers = pod.get("containers") or [{}]
    server = "spec.template.spec.containers[0]"
    return {
        "": {name: value for name, value in deployment.items() if name not in {"metadata", "spec"}},
        "metadata": _metadata(deployment.get("metadata") or {}, before["metadata"]),
        "spec": {name: value for name, value in spec.items() if name != "template"},
        "spec.template": sorted(template.keys() - {"metadata", "spec"}),
        "spec.template.metadata": _metadata(template.get("metadata") or {}, before["spec"]["template"]["metadata"]),
        "spec.template.spec": _without(pod, _OF_THE_POD | {"securityContext", "volumes", "containers"}),
        "spec.template.spec.securityContext": _without(pod.get("securityContext") or {}, _USERS),
        "spec.template.spec.volumes": [_unsized(one) for one in _first(pod.get("volumes"), "name", base["volumes"])],
        "spec.template.spec.containers": len(containers),
        **{f"{server}.{name}": value for name, value in _server(containers[0], base["containers"][0]).items()},
    }


def _references(value: Any, field: str = "") -> Iterator[str]:
    """Names of all secrets and the like that anything in it refers to, and the kinds of its volumes."""
    if isinstance(value, list):
        for one in value:
            if field == "volumes" and isinstance(one, dict):
                yield from one.keys() - {"name", "emptyDir"}
            yield from _references(one)
    elif isinstance(value, dict):
        if field in _REFERRING:
            yield f"{field} {value.get('name')}"
        for name, inner in value.items():
            if name in _REFERRING_NAMES:
                yield f"{name} {inner}"
            yield from _references(inner, name)


def _server(container: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    told = _without(container, {"imagePullPolicy"})
    told["env"] = _first(container.get("env"), "name", before["env"])
    told["volumeMounts"] = _first(container.get("volumeMounts"), "mountPath", before["volumeMounts"])
    resources = container.get("resources") or {}
    told["resources"] = {name: _without(amounts, {_DISK}) for name, amounts in resources.items()}
    return told


def _metadata(metadata: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    told = dict(metadata)
    for name in ("labels", "annotations"):
        ours = before.get(name) or {}
        found = metadata.get(name) or {}
        told[name] = {key: value for key, value in found.items() if key in ours or not is_free(key, name)}
    return told


def _first(found: Any, key: str, before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of a list that were there before, and in their places."""
    ours = {one[key] for one in before}
    return [one for one in (found or []) if one.get(key) in ours]


def _unsized(volume: dict[str, Any]) -> dict[str, Any]:
    held = volume.get("emptyDir")
    return volume if held is None else {**volume, "emptyDir": _without(held, {"sizeLimit"})}


def _without(held: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in held.items() if name not in names}
