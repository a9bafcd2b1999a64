"""Finding one's way among rendered objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Objects = Iterable[dict[str, Any]]


def of_kind(objects: Objects, *kinds: str) -> list[dict[str, Any]]:
    return [one for one in objects if one["kind"] in kinds]


def named(objects: Objects, kind: str, name: str) -> dict[str, Any]:
    (found,) = [one for one in objects if one["kind"] == kind and one["metadata"]["name"] == name]
    return found


def pod_of(objects: Objects, plane: str) -> dict[str, Any]:
    """The `spec` of the pods of this plane."""
    return named(objects, "Deployment", f"archway-{plane}")["spec"]["template"]["spec"]


def container_of(objects: Objects, plane: str) -> dict[str, Any]:
    (found,) = pod_of(objects, plane)["containers"]
    return found


def settings_of(objects: Objects, plane: str) -> dict[str, str]:
    """What the plane is told that is no secret."""
    return named(objects, "ConfigMap", f"archway-{plane}")["data"]


def secrets_of(objects: Objects, plane: str) -> dict[str, tuple[str, str]]:
    """Variable to the Secret and the key in it that it comes from, of those that must be there."""
    told = [one for one in container_of(objects, plane)["env"] if "valueFrom" in one]
    references = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in told}
    references = {name: reference for name, reference in references.items() if not reference.get("optional")}
    return {variable: (reference["name"], reference["key"]) for variable, reference in references.items()}
