"""What a fake Kubernetes API answers to a request that is answered at once: all but watches and logs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import yaml

from tests.kube import field_ownership
from tests.kube.kept_objects import KeptObjects, Key, Thing
from tests.kube.kinds import Kind, Kinds
from tests.kube.patches import BadPatch, json_patched, merged, strategically_merged
from tests.kube.refusals import ApiRefusal
from tests.kube.schemas import schema_of
from tests.kube.selectors import field_test, label_test

APPLY = "application/apply-patch+yaml"
VERSION = {"major": "1", "minor": "37", "gitVersion": "v1.37.0", "gitCommit": "", "gitTreeState": "clean"}
VERSION |= {"buildDate": "2026-08-01T00:00:00Z", "goVersion": "go1.25", "compiler": "gc", "platform": "linux/amd64"}
SAID_BY_APPLY = ("labels", "annotations", "finalizers", "ownerReferences")
"""Of the metadata of what is applied, all that is owned."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as a test may look at it afterwards."""

    method: str
    path: str
    query: dict[str, str]
    content_type: str = ""
    body: bytes = b""
    agent: str = ""

    @property
    def manager(self) -> str:
        """In whose name it writes."""
        return self.query.get("fieldManager") or self.agent.partition("/")[0] or "unknown"

    @property
    def dry(self) -> bool:
        """Whether nothing is to be kept."""
        return self.query.get("dryRun") == "All"

    @property
    def watches(self) -> bool:
        """Whether it is a watch."""
        return self.query.get("watch", "").lower() in {"true", "1"}


@dataclass(frozen=True, slots=True)
class Target:
    """What an address names: a kind, and perhaps a namespace, an object, a part of it."""

    kind: Kind
    namespace: str
    name: str
    part: str

    @property
    def key(self) -> Key:
        """Of the object."""
        return self.kind, self.namespace if self.kind.namespaced else "", self.name


class Answers:
    """Answers over the objects and the kinds of one fake server."""

    def __init__(self, objects: KeptObjects, kinds: Kinds) -> None:
        self._objects, self._kinds = objects, kinds

    def discovery(self, path: str) -> dict[str, Any] | None:
        """A document that says what is served, if the path is one's."""
        match [part for part in path.split("/") if part]:
            case ["version"]:
                return VERSION
            case ["api"]:
                return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
            case ["apis"]:
                return self._kinds.groups()
            case ["api", version]:
                return self._kinds.resources("", version)
            case ["apis", group]:
                return self._kinds.group(group)
            case ["apis", group, version]:
                return self._kinds.resources(group, version)
        return None

    def target(self, path: str) -> Target:
        """What a path names; raises ApiRefusal (404)."""
        match [part for part in path.split("/") if part]:
            case ["api", version, *rest]:
                group = ""
            case ["apis", group, version, *rest]:
                pass
            case _:
                raise _no_such_address()
        namespace = ""
        if len(rest) > 2 and rest[0] == "namespaces" and rest[2] != "status":
            namespace, rest = rest[1], rest[2:]
        kind = self._kinds.find(group, version, rest[0]) if rest else None
        if kind is None:
            raise _no_such_address()
        return Target(kind, namespace, rest[1] if len(rest) > 1 else "", rest[2] if len(rest) > 2 else "")

    def selected(self, asked: Asked, target: Target) -> Any:
        """A test for the objects that a list, a watch or a deletion means."""
        labels = label_test(asked.query.get("labelSelector", ""))
        fields = field_test(asked.query.get("fieldSelector", ""))
        return lambda thing: labels(thing) and fields(thing)

    def answer(self, asked: Asked, target: Target) -> tuple[int, Thing]:
        """Status and body; raises ApiRefusal."""
        if not target.name:
            return self._for_many(asked, target)
        if asked.method == "PATCH" and asked.content_type == APPLY:
            return self._apply(asked, target)
        old = self._objects.all.get(target.key)
        if old is None:
            raise ApiRefusal(404, "NotFound", f'{target.kind.written} "{target.name}" not found')
        match asked.method:
            case "GET":
                return 200, old
            case "DELETE":
                return 200, self._delete(asked, target, old)
            case "PUT":
                return 200, self._change(asked, target, old, _body(asked))
            case "PATCH":
                return 200, self._change(asked, target, old, self._patched(asked, target, old))
        raise ApiRefusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

    def _for_many(self, asked: Asked, target: Target) -> tuple[int, Thing]:
        kind = target.kind
        if asked.method == "POST":
            return 201, self._create(asked, target)
        found = self._objects.matching(kind, target.namespace, self.selected(asked, target))
        if asked.method == "DELETE":
            for thing in found:
                metadata = thing["metadata"]
                self._objects.remove((kind, metadata.get("namespace", ""), metadata["name"]))
        begin, limit = int(asked.query.get("continue") or 0), int(asked.query.get("limit") or 0)
        page = found[begin : begin + limit] if limit else found[begin:]
        metadata = {"resourceVersion": str(self._objects.version)}
        if begin + len(page) < len(found):
            metadata["continue"] = str(begin + len(page))
        listed = {"kind": f"{kind.name}List", "apiVersion": kind.api_version, "metadata": metadata, "items": page}
        return 200, listed

    def _create(self, asked: Asked, target: Target) -> Thing:
        new = _body(asked)
        metadata = new.get("metadata", {})
        name = metadata.get("name") or f"{metadata.get('generateName', '')}{self._objects.version:05x}"
        key = Target(target.kind, target.namespace, name, "").key
        if key in self._objects.all:
            raise ApiRefusal(409, "AlreadyExists", f'{target.kind.written} "{name}" already exists')
        self._check_address(new, target)
        new.pop("status", None)
        owners = field_ownership.updated({}, _owned_part(new), {}, asked.manager, _schema(target.kind))
        return self._objects.write(key, new, owners, dry=asked.dry)

    def _check_address(self, new: Thing, target: Target) -> None:
        """An object says the same of itself as its address."""
        metadata = new.get("metadata", {})
        if target.name and metadata.get("name", target.name) != target.name:
            said = "the name of the object does not match the name on the URL"
            raise ApiRefusal(400, "BadRequest", f"{said} ({metadata['name']} and {target.name})")
        if target.namespace and metadata.get("namespace", target.namespace) != target.namespace:
            said = "the namespace of the provided object does not match the namespace sent on the request"
            raise ApiRefusal(400, "BadRequest", said)

    def _delete(self, asked: Asked, target: Target, old: Thing) -> Thing:
        wanted = (_body(asked) if asked.body else {}).get("preconditions") or {}
        for field in ("uid", "resourceVersion"):
            if wanted.get(field) not in {None, old["metadata"][field]}:
                raise _modified(target, f"Precondition failed: {field} in precondition: {wanted[field]}")
        if not asked.dry:
            self._objects.remove(target.key)
        details = {"name": target.name, "group": target.kind.group, "kind": target.kind.plural}
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": details | {"uid": old["metadata"]["uid"]},
        }

    def _patched(self, asked: Asked, target: Target, old: Thing) -> Thing:
        patch = _body(asked)
        match asked.content_type:
            case "application/merge-patch+json":
                new = merged(old, patch)
            case "application/strategic-merge-patch+json" if _schema(target.kind):
                new = strategically_merged(old, patch, _schema(target.kind))
            case "application/json-patch+json":
                try:
                    new = json_patched(old, patch)
                except BadPatch as fault:
                    raise ApiRefusal(422, "Invalid", f"the server rejected our request: {fault}") from fault
            case other:
                said = "the body of the request was in an unknown format - accepted media types include: "
                raise ApiRefusal(415, "UnsupportedMediaType", f"{said}{APPLY}, not {other}")
        if not (isinstance(patch, dict) and patch.get("metadata", {}).get("resourceVersion")):
            new["metadata"] = {k: v for k, v in new["metadata"].items() if k != "resourceVersion"}
        return dict(new)

    def _change(self, asked: Asked, target: Target, old: Thing, new: Thing) -> Thing:
        self._check_address(new, target)
        version = new.get("metadata", {}).get("resourceVersion")
        if version not in {None, "", old["metadata"]["resourceVersion"]}:
            raise _modified(target, "the object has been modified; please apply your changes to the latest version")
        if target.part == "status":
            new = old | {"status": new.get("status", {})}
        elif "status" in old:
            new = new | {"status": old["status"]}
        else:
            new.pop("status", None)
        known, schema = self._objects.owners.get(target.key, {}), _schema(target.kind)
        owners = field_ownership.updated(_owned_part(old), _owned_part(new), known, asked.manager, schema)
        new = json.loads(json.dumps(new))
        return self._objects.write(target.key, new, owners, status=target.part == "status", dry=asked.dry)

    def _apply(self, asked: Asked, target: Target) -> tuple[int, Thing]:
        config = _body(asked)
        self._check_address(config, target)
        if "fieldManager" not in asked.query:
            raise ApiRefusal(400, "BadRequest", "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value")
        if config.get("apiVersion") != target.kind.api_version or config.get("kind") != target.kind.name:
            raise ApiRefusal(400, "BadRequest", "the object in the request is of another kind than its address")
        if config.get("metadata", {}).get("managedFields"):
            raise ApiRefusal(400, "BadRequest", "metadata.managedFields must be nil")
        old = self._objects.all.get(target.key)
        version = config.get("metadata", {}).get("resourceVersion")
        if version and version != (old or {}).get("metadata", {}).get("resourceVersion"):
            raise _modified(target, "the object has been modified; please apply your changes to the latest version")
        force = asked.query.get("force", "").lower() == "true"
        known, schema = self._objects.owners.get(target.key, {}), _schema(target.kind)
        try:
            new, owners = field_ownership.applied(old, _owned_part(config), known, asked.manager, schema, force=force)
        except field_ownership.Conflict as fault:
            (field, who), count = fault.fields[0], len(fault.fields)
            said = f'Apply failed with {count} conflict{"s" * (count > 1)}: conflict with "{who}": {field}'
            raise ApiRefusal(409, "Conflict", said) from None
        try:
            kept = self._objects.write(target.key, new, owners, dry=asked.dry)
        except ApiRefusal as refusal:
            if "strict decoding error" not in refusal.message:
                raise
            # An unknown field is no fault of the caller to a real server: it cannot make a typed patch of it.
            said = f"failed to create typed patch object ({target.namespace}/{target.name}): {refusal.message}"
            raise ApiRefusal(500, "InternalError", said) from None
        return (200 if old else 201), kept


def _owned_part(thing: Thing) -> Thing:
    said = {name: value for name, value in thing.items() if name not in {"apiVersion", "kind", "metadata", "status"}}
    metadata = {k: v for k, v in thing.get("metadata", {}).items() if k in SAID_BY_APPLY}
    return said | {"metadata": metadata} if metadata else said


def _schema(kind: Kind) -> dict[str, Any]:
    return schema_of(kind.group, kind.version, kind.name)


def _body(asked: Asked) -> Any:
    try:
        return json.loads(asked.body)
    except ValueError:
        if asked.content_type != APPLY:
            raise ApiRefusal(400, "BadRequest", "the object provided is unrecognized") from None
        return yaml.safe_load(asked.body)


def _modified(target: Target, why: str) -> ApiRefusal:
    said = f'Operation cannot be fulfilled on {target.kind.written} "{target.name}": {why}'
    return ApiRefusal(409, "Conflict", said)


def _no_such_address() -> ApiRefusal:
    return ApiRefusal(404, "NotFound", "the server could not find the requested resource")
