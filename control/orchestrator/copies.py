"""Copies of all that is ours in one namespace, by installation: what was applied, and the pods that came of it.

A reflector for each kind; beside them an index, so that one installation among a thousand is found without looking at
the others.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import Final

from control.orchestrator.cluster import Cluster
from control.orchestrator.identity import INSTALLATION
from control.orchestrator.kinds import APPLIED, Kind, Object
from control.orchestrator.reflector import Reflector
from control.servers.runtime import RuntimeAway

FILLED_WITHIN_S: Final = 5.0

Changed = Callable[[str, bool], None]
"""Is told an installation of which something changed, and whether it may be what was applied that did; '' stands for
what is of no single one.
"""


class Closed(Exception):
    """Control has no right to see what is in a namespace; the sentence is the API's."""


class Copies:
    """What one namespace holds of one deployment of ours, as its watches tell it."""

    def __init__(
        self, cluster: Cluster, namespace: str, labels: str, changed: Changed, kinds: Iterable[Kind]
    ) -> None:
        self._changed = changed
        self._by_kind = {kind: Reflector(cluster, kind, namespace, labels, self._told) for kind in kinds}
        self._names: dict[str, set[tuple[Kind, str]]] = defaultdict(set)

    async def run(self) -> None:
        """Keep them true, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for kind, reflector in self._by_kind.items():
                group.create_task(reflector.run(), name=f"servers/{kind.plural}")

    async def filled(self) -> None:
        """Until all was listed once. Raises RuntimeAway when that takes too long, with the reason; and Closed where
        something may not be listed.
        """
        reflectors = self._by_kind.values()
        with suppress(TimeoutError):
            async with asyncio.timeout(FILLED_WITHIN_S):
                for reflector in reflectors:
                    await reflector.answered.wait()
        lacking = [one for one in reflectors if not one.filled.is_set()]
        if not lacking:
            return
        if forbidden := next((one.fault for one in lacking if one.forbidden), ""):
            raise Closed(forbidden)
        faults = (one.fault for one in lacking if one.fault)
        raise RuntimeAway(next(faults, "the cluster's API has not listed what is there yet"))

    @property
    def is_filled(self) -> bool:
        """Whether all was listed."""
        return all(reflector.filled.is_set() for reflector in self._by_kind.values())

    def find(self, kind: Kind, name: str) -> Object | None:
        """One object."""
        return self._by_kind[kind].objects.get(name)

    def all(self, kind: Kind) -> Collection[Object]:
        """All of one kind, those of no single installation too."""
        return self._by_kind[kind].objects.values()

    def of(self, kind: Kind, installation_id: str) -> list[Object]:
        """The objects of one kind that belong to an installation, in the order of their names."""
        names = sorted(name for of_kind, name in self._names.get(installation_id, ()) if of_kind == kind)
        return [self._by_kind[kind].objects[name] for name in names]

    def installations(self, older_than: float = 0.0) -> frozenset[str]:
        """Those of which something that is applied has been there for so many seconds."""
        return frozenset(
            installation_id
            for installation_id, names in self._names.items()
            if any(kind in APPLIED and self._by_kind[kind].age(name) >= older_than for kind, name in names)
        )

    def put(self, kind: Kind, found: Object) -> None:
        """What an apply answered."""
        self._by_kind[kind].put(found)

    def _told(self, kind: Kind, before: Object | None, after: Object | None) -> None:
        found = after or before or {}
        metadata = found["metadata"]
        installation_id = metadata.get("labels", {}).get(INSTALLATION, "")
        if installation_id:
            self._index(installation_id, (kind, metadata["name"]), there=after is not None)
        self._changed(installation_id, kind in APPLIED and before is not None and not _as_applied(before, after))

    def _index(self, installation_id: str, place: tuple[Kind, str], *, there: bool) -> None:
        names = self._names[installation_id]
        (names.add if there else names.discard)(place)
        if not names:
            del self._names[installation_id]


def _as_applied(before: Object, after: Object | None) -> bool:
    """Whether only its status, or what the API counts, is another."""
    return after is not None and _said(before) == _said(after)


def _said(found: Object) -> Object:
    metadata = {key: found["metadata"].get(key) for key in ("labels", "annotations", "deletionTimestamp")}
    return {key: value for key, value in found.items() if key not in {"metadata", "status"}} | metadata
