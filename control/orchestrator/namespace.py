"""One namespace of the cluster in which servers of ours run: copies of what is there, applied to and removed from.

The runtime has one for each namespace of the settings, for as long as it runs.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from control.orchestrator.baseline import baseline, cuts_off
from control.orchestrator.cluster import Cluster, ClusterSaid
from control.orchestrator.copies import Changed, Closed, Copies
from control.orchestrator.defaults import Defaults
from control.orchestrator.differences import differs, fingerprinted
from control.orchestrator.egress.capabilities import PLAIN, Capabilities
from control.orchestrator.egress.policies import as_far_as_held, policies
from control.orchestrator.foreign_secrets import check_foreign_secrets
from control.orchestrator.identity import INSTALLATION, INSTANCE, PROBE
from control.orchestrator.kinds import (
    APPLIED,
    BY_PROVIDER,
    DEPLOYMENT,
    POD,
    POLICIES,
    POLICY,
    SECRET,
    Kind,
    Object,
    kind_of,
    watched,
)
from control.orchestrator.objects import objects_of
from control.servers.runtime import Refused, RuntimeAway
from control.servers.wanted import ConfinedServer, WantedServer
from core.spreading import between

log = logging.getLogger(__name__)

FULL_APPLY_S: Final = (3 * 3600.0, 6 * 3600.0)
"""After so long an installation is applied though nothing seems to differ: for what no watch told."""
LOOK_AGAIN_S: Final = 30.0
"""How late the baseline is seen to be missing, where no watch told."""
SPACING_S: Final = 1.0
"""Between two looks at it, however often it is changed."""
CONFLICT: Final = 409
_UNSERVED: Final = frozenset({403, 404})
"""A kind that is gone, with all that was of it, or that nobody gave control rights for."""


class Namespace:
    """What is ours in one namespace."""

    def __init__(
        self, cluster: Cluster, name: str, defaults: Defaults, changed: Changed, full_at: dict[str, float],
        capabilities: Capabilities = PLAIN,
    ) -> None:  # fmt: skip
        """`full_at`: when each installation is to be applied whatever the copies say; outlives this."""
        self.name, self._full_at = name, full_at
        labels = f"{INSTANCE}={defaults.instance_id},!{PROBE}"
        self.copies = Copies(cluster, name, labels, self._told, watched(capabilities.provider))
        self._cluster, self._defaults, self._changed = cluster, defaults, changed
        self._confined: set[str] = set()
        """Installations whose policies were applied, or seen to be as they should be."""
        self._laying = asyncio.Lock()
        self._moved = asyncio.Event()
        """Set when something of no single server has changed."""
        self._capabilities = capabilities
        self._without_former: set[str] = set()
        """Those of which nothing is left that another provider held."""

    async def run(self) -> None:
        """Watch it, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.copies.run(), name=f"servers/copies/{self.name}")
            group.create_task(self._keep(), name=f"servers/baseline/{self.name}")

    async def _keep(self) -> None:
        """Once it is known what is here, tell of each installation: before, nothing could be said of it. Then keep
        the baseline.
        """
        while True:
            with suppress(RuntimeAway, Closed):
                await self.copies.filled()
                break
            await asyncio.sleep(SPACING_S)
        for installation_id in self.copies.installations():
            self._changed(installation_id, False)
        while True:
            self._moved.clear()
            try:
                await self._lay_baseline()
            except (RuntimeAway, Refused) as fault:
                log.warning("the baseline is not as it should be", extra={"where": self.name, "fault": str(fault)})
            await asyncio.sleep(SPACING_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._moved.wait()

    async def _lay_baseline(self) -> None:
        """Unless it would cut a server off whose policy says nothing yet of what it may reach."""
        async with self._laying:
            made = self._differing([fingerprinted(baseline(self._defaults, self.name))])
            if not made or cuts_off(self.copies.all(POLICY), self._confined):
                return
            try:
                await self._put(made)
            except ClusterSaid as said:
                raise _refusal(said) from None

    def _told(self, installation_id: str, drifted: bool) -> None:
        if installation_id:
            self._changed(installation_id, drifted)
        else:
            self._moved.set()

    async def filled(self) -> None:
        """Until it is known what is there; raises RuntimeAway, and Refused where control has no rights."""
        try:
            await self.copies.filled()
        except Closed as closed:
            raise Refused("namespace_closed", f"in the namespace {self.name}: {closed}") from None

    def holds(self, installation_id: str) -> bool:
        """Whether something of it is here."""
        return any(self.copies.of(kind, installation_id) for kind in (*APPLIED, POD))

    async def apply(self, wanted: WantedServer) -> None:
        """Have all of it be here as wanted, in the order in which it is needed; asks nothing where it is. Raises
        Refused and RuntimeAway.
        """
        installation_id = wanted.installation_id
        try:
            made = self._objects(wanted)
        except Refused:
            await self.confine(wanted)  # what runs goes on, and reaches no more than it may by now
            raise
        full = self._is_due(installation_id)
        to_apply = made if full else self._differing(made)
        confining = [one for one in to_apply if kind_of(one) in POLICIES]
        await self._lay_baseline()
        try:
            await self._put(confining)
            self._confined.add(installation_id)
            if to_apply:
                await check_foreign_secrets(self._cluster, self.name, wanted)
            await self._put([one for one in to_apply if one not in confining])
            await self._clear(installation_id, _named(made))
            await self._clear_former(installation_id)
        except ClusterSaid as said:
            raise _refusal(said) from None
        if full:
            self._full_at[installation_id] = _now() + between(*FULL_APPLY_S)

    async def confine(self, wanted: ConfinedServer) -> None:
        """Hold what is still here, and pods that it gets, to what one may reach that is wanted elsewhere by now, or
        that is refused: perhaps for names that the cluster cannot hold, which are then not reached.
        """
        installation_id = wanted.installation_id
        if not any(self.copies.of(kind, installation_id) for kind in (DEPLOYMENT, POD)):  # no pod, and none to come
            return
        egress = as_far_as_held(wanted.egress, self._capabilities)
        here = replace(wanted, namespace=self.name, egress=egress)
        made = self._sorted(policies(here, self._defaults, self._capabilities))
        try:
            await self._put(self._differing(made))
            self._confined.add(installation_id)
            # Policies add up: one that is left, of another name or provider, would hold nothing back.
            await self._clear(installation_id, _named(made), POLICIES)
            await self._clear_former(installation_id)
        except ClusterSaid as said:
            raise _refusal(said) from None

    async def remove(self, installation_id: str) -> None:
        """Delete all of it; what confines its pods goes last, when there are none left. Raises RuntimeAway."""
        try:
            for kind in reversed(APPLIED):
                if kind in POLICIES and self.copies.of(POD, installation_id):
                    raise RuntimeAway("its pods are still ending")
                for one in self.copies.of(kind, installation_id):
                    await self._cluster.delete(kind, self.name, one["metadata"]["name"])
            await self._clear_former(installation_id)
            self._without_former.discard(installation_id)
        except ClusterSaid as said:
            raise RuntimeAway(str(said)) from None

    def _objects(self, wanted: WantedServer) -> list[Object]:
        return self._sorted(objects_of(replace(wanted, namespace=self.name), self._defaults, self._capabilities))

    def _sorted(self, made: Iterable[Object]) -> list[Object]:
        """As they are applied, and in that order."""
        return sorted(map(fingerprinted, made), key=lambda one: APPLIED.index(kind_of(one)))

    def _differing(self, made: list[Object]) -> list[Object]:
        return [one for one in made if differs(one, self.copies.find(kind_of(one), one["metadata"]["name"]))]

    async def _put(self, made: list[Object]) -> None:
        for one in made:
            self.copies.put(kind_of(one), await self._cluster.apply(kind_of(one), self.name, one))

    async def _clear(
        self, installation_id: str, kept: set[tuple[Kind, str]], kinds: Iterable[Kind] = APPLIED
    ) -> None:
        """Delete what it had and no longer has; secrets only once no pod of an earlier change needs them."""
        for kind in kinds:
            for one in self.copies.of(kind, installation_id):
                name = one["metadata"]["name"]
                if (kind, name) not in kept and (kind != SECRET or self._is_rolled_out(installation_id)):
                    await self._cluster.delete(kind, self.name, name)

    async def _clear_former(self, installation_id: str) -> None:
        """Delete what another provider held of it, once: a kind that is watched no more."""
        if installation_id in self._without_former:
            return
        labels = f"{INSTANCE}={self._defaults.instance_id},{INSTALLATION}={installation_id}"
        for kind in (BY_PROVIDER[one] for one in self._capabilities.formerly):
            try:
                left, _ = await self._cluster.list(kind, self.name, labels)
                for one in left:
                    await self._cluster.delete(kind, self.name, one["metadata"]["name"])
            except ClusterSaid as said:
                if said.status not in _UNSERVED:
                    raise
        self._without_former.add(installation_id)

    def _is_rolled_out(self, installation_id: str) -> bool:
        """Whether all pods are of the newest change, https://kubernetes.io/docs/concepts/workloads/controllers/deployment."""
        return all(
            status.get("observedGeneration") == one["metadata"].get("generation")
            and status.get("replicas", 0) == status.get("updatedReplicas", 0) == status.get("availableReplicas", 0)
            for one in self.copies.of(DEPLOYMENT, installation_id)
            for status in [one.get("status") or {}]
        )

    def _is_due(self, installation_id: str) -> bool:
        """Whether it is to be applied whatever the copies say. The first time is spread, as all begin together."""
        return _now() >= self._full_at.setdefault(installation_id, _now() + between(0, FULL_APPLY_S[1]))


def _named(made: Iterable[Object]) -> set[tuple[Kind, str]]:
    return {(kind_of(one), one["metadata"]["name"]) for one in made}


def _refusal(said: ClusterSaid) -> Exception:
    if said.status == CONFLICT:  # changed between the API's own reading and writing
        return RuntimeAway(str(said))
    return Refused("refused_by_cluster", said.message)


def _now() -> float:
    return asyncio.get_running_loop().time()
