"""A copy of the objects of one kind that have our labels, kept true by listing once and watching from then on.

The client's own Watch never lists again, and so loses whatever happened while a version grew too old (410). Here a
watch that was cut goes on from the last version that was seen, a bookmark's included, and one that is too old begins
again with a list.
https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

from control.orchestrator.cluster import Cluster, ClusterSaid
from control.orchestrator.kinds import Kind, Object
from control.servers.runtime import RuntimeAway
from core.spreading import between

log = logging.getLogger(__name__)

WATCH_S: Final = (240, 300)
"""How long one watch lasts: spread, so that those of all kinds do not end together."""
SPACING_S: Final = 1.0
"""Between two watches, even where each ends at once."""
LAST_AGAIN_S: Final = 30.0
"""The longest pause after a failure; the first is a second."""
_FORBIDDEN: Final = 403
_TOO_OLD: Final = 410

Changed = Callable[[Kind, Object | None, Object | None], None]
"""Is told an object before and after: None before is a new one, None after one that is gone."""


class Reflector:
    """A copy of the objects of one kind in one namespace."""

    def __init__(self, cluster: Cluster, kind: Kind, namespace: str, labels: str, changed: Changed) -> None:
        self._cluster, self._kind, self._namespace, self._labels = cluster, kind, namespace, labels
        self._changed = changed
        self._objects: dict[str, Object] = {}
        self._since: dict[str, float] = {}
        self._version = ""
        self._failures = 0
        self.fault = ""
        """Why it is not being told now."""
        self.filled = asyncio.Event()
        """Set once all of them were listed; until then the copy says nothing of what is not in it."""
        self.forbidden = False
        """Whether the API does not let us list them."""
        self.answered = asyncio.Event()
        """Set once it is known whether they may be listed."""

    @property
    def objects(self) -> Mapping[str, Object]:
        """By their names."""
        return self._objects

    def age(self, name: str) -> float:
        """For how many seconds this one has been known here, by our own clock: the cluster's may differ."""
        return _now() - self._since.get(name, _now())

    async def run(self) -> None:
        """Keep it true, until cancelled."""
        while True:
            pause = SPACING_S
            try:
                if not self._version:
                    await self._list()
                await self._watch()
            except (RuntimeAway, ClusterSaid) as fault:
                if isinstance(fault, ClusterSaid) and fault.status == _TOO_OLD:
                    self._version = ""
                else:
                    self.fault = str(fault)
                    self.forbidden = isinstance(fault, ClusterSaid) and fault.status == _FORBIDDEN
                    if self.forbidden:
                        self.answered.set()
                    pause = min(2.0**self._failures, LAST_AGAIN_S)
                    self._failures += 1
                    log.info("not told of", extra={"kind": self._kind.kind, "fault": self.fault, "again_in_s": pause})
            await asyncio.sleep(between(pause, 1.25 * pause))

    async def _list(self) -> None:
        found, version = await self._cluster.list(self._kind, self._namespace, self._labels)
        self._told(version)
        names = {item["metadata"]["name"] for item in found}
        for name in self._objects.keys() - names:
            self._drop(name)
        for item in found:
            self.put(item)
        self.filled.set()
        self.answered.set()

    async def _watch(self) -> None:
        seconds = round(between(*WATCH_S))
        events = self._cluster.watch(self._kind, self._namespace, self._labels, self._version, seconds)
        async for event, found in events:
            if event == "DELETED":
                self._drop(found["metadata"]["name"])
            elif event != "BOOKMARK":
                self.put(found)
            self._told(found["metadata"]["resourceVersion"])

    def put(self, found: Object) -> None:
        """One as it is now: of the list, of the watch, or what an apply answered, which the watch tells again."""
        found["metadata"].pop("managedFields", None)  # a third of an object, and of no use here
        name = found["metadata"]["name"]
        before = self._objects.get(name)
        if before is not None and _version(found) <= _version(before) and _uid(found) == _uid(before):
            return
        self._objects[name] = found
        self._since.setdefault(name, _now())
        self._changed(self._kind, before, found)

    def _drop(self, name: str) -> None:
        self._since.pop(name, None)
        before = self._objects.pop(name, None)
        if before is not None:
            self._changed(self._kind, before, None)

    def _told(self, version: str) -> None:
        self._version, self._failures, self.fault, self.forbidden = version, 0, "", False


def _version(found: Object) -> int:
    """Versions are numbers that rise (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions,
    1.35); what is none is taken for newer than all."""
    text = found["metadata"].get("resourceVersion", "")
    return int(text) if text.isdigit() else 1 << 63


def _uid(found: Object) -> str:
    uid: str = found["metadata"].get("uid", "")
    return uid


def _now() -> float:
    return asyncio.get_running_loop().time()
