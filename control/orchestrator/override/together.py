"""What an override says that fits only some servers: it names what this one has, and nothing that is set already.

Called by `overridden.py` once all of it may be said at all, so that the forms of values are known here. Pure.
"""

from collections.abc import Iterator
from typing import Any

from control.orchestrator.kinds import Object
from control.orchestrator.override.faults import Faults
from core.strict_yaml import Path

_POD: Path = ("spec", "template", "spec")


def check_together(override: dict[str, Any], deployment: Object, faults: Faults) -> None:
    """Add what does not fit this Deployment."""
    pod = ((override.get("spec") or {}).get("template") or {}).get("spec") or {}
    base = deployment["spec"]["template"]["spec"]
    server = base["containers"][0]
    _check_volumes(pod.get("volumes") or [], base, faults)
    volumes = {one["name"] for one in [*base["volumes"], *(pod.get("volumes") or [])]}
    for path, container in _containers(pod):
        for number, one in enumerate(container.get("volumeMounts") or ()):
            if one["name"] not in volumes:
                faults.add((*path, "volumeMounts", number, "name"), "names no volume of the pod")
    for path, container in _containers(pod):
        if path[-2] == "containers":
            _check_server(container, server, path, faults)
        else:
            _check_secrets(container, server, path, faults)


def own_secret(server: dict[str, Any], variable: str) -> dict[str, str] | None:
    """Where the secret value of a variable of the server is; None where it has no such."""
    for one in server["env"]:
        reference = (one.get("valueFrom") or {}).get("secretKeyRef")
        if one["name"] == variable and reference:
            return dict(reference)
    return None


def _containers(pod: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    for kind in ("initContainers", "containers"):
        for number, one in enumerate(pod.get(kind) or ()):
            yield (*_POD, kind, number), one


def _check_volumes(volumes: list[dict[str, Any]], base: dict[str, Any], faults: Faults) -> None:
    ours = {one["name"]: one for one in base["volumes"]}
    for number, one in enumerate(volumes):
        path = (*_POD, "volumes", number)
        if one["name"] in ours and "emptyDir" not in ours[one["name"]]:
            faults.add(path, "is a volume of Archway's; choose another name")
        elif one["name"] in ours and "medium" in one["emptyDir"]:
            faults.add((*path, "emptyDir", "medium"), "is that of a volume of Archway's; only its sizeLimit is free")


def _check_server(container: dict[str, Any], server: dict[str, Any], path: Path, faults: Faults) -> None:
    set_already = {one["name"] for one in server["env"]}
    for number, one in enumerate(container.get("env") or ()):
        if one["name"] in set_already:
            faults.add((*path, "env", number), "is set by the entry or by Archway already; change it in the entry")
    taken = {one["mountPath"] for one in server["volumeMounts"]}
    for number, one in enumerate(container.get("volumeMounts") or ()):
        if one["mountPath"] in taken:
            faults.add((*path, "volumeMounts", number), "is where Archway mounts a volume already")


def _check_secrets(container: dict[str, Any], server: dict[str, Any], path: Path, faults: Faults) -> None:
    for number, one in enumerate(container.get("env") or ()):
        reference = (one.get("valueFrom") or {}).get("secretKeyRef")
        if reference and own_secret(server, reference["key"]) is None:
            where = (*path, "env", number, "valueFrom", "secretKeyRef", "key")
            faults.add(where, "is no variable of the server that has a secret value")
