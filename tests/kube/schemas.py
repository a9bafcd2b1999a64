"""What Kubernetes says of the form of its objects, from its own OpenAPI as the package kubernetes-validate brings it.

The fake API server checks objects with it, and learns from it how lists are merged: by which keys their items are
told apart, or that a list is replaced as a whole. No network, no cluster; custom resources are not in it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

from tests.kubernetes_schemas import NEWEST_MINORS

NEWEST = NEWEST_MINORS[-1]
"""The minor version that the fake is."""
Schema = dict[str, Any]
_FOLDER = "kubernetes-json-schema"
ANYTHING: Schema = {}


@lru_cache(maxsize=4)
def definitions(version: str) -> dict[str, Schema]:
    """Every type of this minor version by its full name; strict, so that an unknown field is an error."""
    folder = files("kubernetes_validate") / _FOLDER / f"v{version}.0-local-strict"
    text = (folder / "_definitions.json").read_text().replace("/api/_definitions.json#/", "#/")
    found: dict[str, Schema] = json.loads(text)["$defs"]
    return found


@lru_cache(maxsize=4)
def _names_of_kinds(version: str) -> dict[tuple[str, str, str], str]:
    return {
        (one["group"], one["version"], one["kind"]): name
        for name, schema in definitions(version).items()
        for one in schema.get("x-kubernetes-group-version-kind", ())
    }


@lru_cache(maxsize=256)
def _validator(group: str, api_version: str, kind: str, version: str) -> jsonschema_rs.Draft202012Validator | None:
    name = _names_of_kinds(version).get((group, api_version, kind))
    if name is None:
        return None
    return jsonschema_rs.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": definitions(version)})


def complaints(thing: dict[str, Any], version: str = NEWEST) -> list[str]:
    """What is wrong with the form of an object, each with its path; nothing where the kind is not known."""
    group, _, api_version = thing["apiVersion"].rpartition("/")
    validator = _validator(group, api_version, thing["kind"], version)
    if validator is None or validator.is_valid(thing):
        return []
    return [f"{path_of(one.instance_path)}: {one.message}" for one in validator.iter_errors(thing)]


def path_of(steps: list[str | int]) -> str:
    """A path as Kubernetes writes it: `spec.containers[0].image`."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def schema_of(group: str, api_version: str, kind: str) -> Schema:
    """The form of a kind; one that says nothing for a custom resource."""
    name = _names_of_kinds(NEWEST).get((group, api_version, kind))
    return definitions(NEWEST)[name] if name else ANYTHING


def resolved(schema: Schema) -> Schema:
    """A schema with its reference followed. What stands beside the reference (how a list is merged) is kept."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    return definitions(NEWEST)[reference.rpartition("/")[2]] | {k: v for k, v in schema.items() if k != "$ref"}


def field_of(schema: Schema, name: str) -> Schema:
    """The form of one field, or of one value of a map."""
    fields = schema.get("properties", ANYTHING)
    found = fields.get(name) or schema.get("additionalProperties")
    return resolved(found) if isinstance(found, dict) else ANYTHING


def item_of(schema: Schema) -> Schema:
    """The form of a list's items."""
    return resolved(schema.get("items", ANYTHING))


def keys_of(schema: Schema) -> tuple[str, ...]:
    """By which fields the items of a list are told apart in server-side apply; () for a list that is one value."""
    if schema.get("x-kubernetes-list-type") == "map":
        return tuple(schema["x-kubernetes-list-map-keys"])
    return ()


def merge_key_of(schema: Schema) -> str:
    """By which field items are told apart in a strategic merge patch; '' for a list that is replaced."""
    if "merge" in schema.get("x-kubernetes-patch-strategy", ""):
        return str(schema.get("x-kubernetes-patch-merge-key", ""))
    return ""


def is_one_value(schema: Schema) -> bool:
    """Whether a map is owned and replaced as a whole."""
    return schema.get("x-kubernetes-map-type") == "atomic"
