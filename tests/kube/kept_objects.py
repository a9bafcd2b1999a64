"""The objects of a fake API server: each write has a number, what happened is remembered, owners take theirs along.

A kept object is never changed, only replaced, so that readers need no copies.
"""

from __future__ import annotations

import asyncio
import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from tests.kube.defaults import fill_in
from tests.kube.field_ownership import Owners
from tests.kube.kinds import BUILT_IN, Kind
from tests.kube.refusals import ApiRefusal, invalid
from tests.kube.rules import check_rules
from tests.kube.schemas import complaints

Thing = dict[str, Any]
Key = tuple[Kind, str, str]
"""Kind, namespace ('' where it has none), name."""
NAMESPACES = next(one for one in BUILT_IN if one.plural == "namespaces")
KEPT_FIELDS = ("uid", "creationTimestamp", "deletionTimestamp", "generation", "name", "namespace")


def now() -> str:
    """The time as objects have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class KeptObjects:
    """What is there now, and what happened."""

    def __init__(self) -> None:
        self.all: dict[Key, Thing] = {}
        self.owners: dict[Key, Owners] = {}
        self.version = 1
        self.oldest = 0
        """A watch from before this version is told 410."""
        self._versions: list[int] = []
        self._happened: list[tuple[str, Key, Thing, Thing | None]] = []
        self.news = asyncio.Event()
        """Set, and replaced by another, at each event."""
        self.on_change: Callable[[Key], None] = lambda key: None
        """Told of each write but of a status; and after a removal of the owner, if there is one."""
        self.collects = True
        """Whether what an object owns goes with it: by a controller, in a cluster."""
        self._uids: dict[str, Key] = {}
        self._owner_uids: dict[Key, list[str]] = {}
        self._owned: dict[str, set[Key]] = {}

    def matching(self, kind: Kind, namespace: str, test: Callable[[Thing], bool]) -> list[Thing]:
        """The objects of a kind that pass, in the order of their names."""
        keys = [key for key in self.all if key[0] == kind and namespace in {"", key[1]}]
        return [self.all[key] for key in sorted(keys, key=lambda one: one[1:]) if test(self.all[key])]

    def owner_of(self, key: Key) -> Key | None:
        """The object that this one names as its owner, if it is there."""
        return next((self._uids[uid] for uid in self._owner_uids.get(key, ()) if uid in self._uids), None)

    def is_orphan(self, key: Key) -> bool:
        """Whether it names owners, and none of them is there: then a cluster takes it away."""
        return bool(self._owner_uids.get(key)) and self.owner_of(key) is None

    def owned_by(self, key: Key) -> list[Key]:
        """The objects that name this one as an owner."""
        thing = self.all.get(key)
        return sorted(self._owned.get(thing["metadata"]["uid"], ()), key=lambda one: one[2]) if thing else []

    def _note_owners(self, key: Key, thing: Thing | None) -> None:
        for uid in self._owner_uids.pop(key, ()):
            self._owned[uid].discard(key)
        if thing is None:
            return
        self._uids[thing["metadata"]["uid"]] = key
        self._owner_uids[key] = [one["uid"] for one in thing["metadata"].get("ownerReferences", ())]
        for uid in self._owner_uids[key]:
            self._owned.setdefault(uid, set()).add(key)

    def since(self, version: int) -> Iterator[tuple[int, str, Key, Thing, Thing | None]]:
        """What happened after a version: its number, the event's type, the key, the object, and the one before."""
        for number in range(bisect_right(self._versions, version), len(self._versions)):
            yield self._versions[number], *self._happened[number]

    def forget_history(self) -> None:
        """From now on a watch from an earlier version is told 410, as after a compaction of etcd."""
        self.oldest = self.version
        self._versions.clear()
        self._happened.clear()

    def tell(self) -> None:
        """Wake whoever watches."""
        self.news.set()
        self.news = asyncio.Event()

    def _happen(self, event: str, key: Key, thing: Thing, before: Thing | None) -> None:
        self._versions.append(self.version)
        self._happened.append((event, key, thing, before))
        self.tell()

    def write(self, key: Key, new: Thing, owners: Owners, *, status: bool = False, dry: bool = False) -> Thing:
        """Keep an object, checked and with the defaults in it; raises ApiRefusal. `new` is the caller's no longer.

        One that is equal to what is there keeps its version and tells nobody.
        """
        kind, namespace, _ = key
        old = self.all.get(key)
        new |= {"apiVersion": kind.api_version, "kind": kind.name}
        metadata = new["metadata"] = {field: value for field, value in new.get("metadata", {}).items() if value}
        self._keep_identity(key, metadata, old)
        if not status:
            self._check(kind, new, old)
        if old is None and namespace and (NAMESPACES, "", namespace) not in self.all:
            raise ApiRefusal(404, "NotFound", f'namespaces "{namespace}" not found')
        if old is not None and new.get("spec") != old.get("spec"):
            metadata["generation"] = old["metadata"].get("generation", 1) + 1
        if old is not None and _content(new) == _content(old):
            if not dry:
                self.owners[key] = owners
            return old
        metadata["managedFields"] = [_managed(who, kind) for who in owners]
        metadata["resourceVersion"] = str(self.version)
        if dry:
            return new
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        self.all[key], self.owners[key] = new, owners
        self._note_owners(key, new)
        self._happen("MODIFIED" if old else "ADDED", key, new, old)
        if old is not None and metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
            self.remove(key)
        elif not status:
            self.on_change(key)
        return new

    def _keep_identity(self, key: Key, metadata: Thing, old: Thing | None) -> None:
        for field in ("resourceVersion", *KEPT_FIELDS):
            metadata.pop(field, None)
        if old is not None:
            metadata.update({field: old["metadata"][field] for field in KEPT_FIELDS if field in old["metadata"]})
            return
        metadata.update({"name": key[2], "uid": str(uuid.uuid4()), "creationTimestamp": now(), "generation": 1})
        if key[1]:
            metadata["namespace"] = key[1]

    def _check(self, kind: Kind, new: Thing, old: Thing | None) -> None:
        name = new["metadata"]["name"]
        faults = complaints(new)
        if missing := [one for one in faults if one.endswith("is a required property")]:
            raise invalid(kind.name, name, *missing)
        if faults:
            said = f'{kind.name} "{name}" in version "{kind.version}" cannot be handled as a {kind.name}'
            raise ApiRefusal(400, "BadRequest", f"{said}: strict decoding error: {'; '.join(faults)}")
        known = (old or {}).get("spec", {}).get("clusterIP")
        fill_in(new, known or f"10.96.{self.version // 250 % 250}.{self.version % 250 + 1}")
        check_rules(kind, new, old)

    def remove(self, key: Key) -> None:
        """Take an object away, and with a namespace what is in it; one with finalizers is only marked."""
        thing = self.all.get(key)
        if thing is None:
            return
        self.version += 1
        marked = {"deletionTimestamp": now(), "resourceVersion": str(self.version)}
        if thing["metadata"].get("finalizers"):
            if "deletionTimestamp" not in thing["metadata"]:
                self.all[key] = thing | {"metadata": thing["metadata"] | marked}
                self._happen("MODIFIED", key, self.all[key], thing)
            return
        owned, owner = self.owned_by(key), self.owner_of(key)
        del self.all[key], self._uids[thing["metadata"]["uid"]]
        self.owners.pop(key, None)
        self._note_owners(key, None)
        last = thing | {"metadata": thing["metadata"] | {"resourceVersion": str(self.version)}}
        self._happen("DELETED", key, last, thing)
        if key[0].plural == "namespaces":
            owned = [one for one in self.all if one[1] == key[2]]
        for other in owned if self.collects else ():
            self.remove(other)
        self.on_change(owner or key)


def _content(thing: Thing) -> Thing:
    metadata = {k: v for k, v in thing["metadata"].items() if k not in {"resourceVersion", "managedFields"}}
    return thing | {"metadata": metadata}


def _managed(who: tuple[str, str], kind: Kind) -> Thing:
    manager, operation = who
    return {"manager": manager, "operation": operation, "apiVersion": kind.api_version, "fieldsType": "FieldsV1"}
