"""One probe of an environment: makes its pods, waits for what they tell, and takes all of it away again.

Called by `rounds.py` in the replica that leads, one at a time. What a control that died left behind is taken away
before the next probe in the same namespace; the cluster itself ends such a pod before that.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, TypeVar

from control.orchestrator.cluster import Cluster, ClusterSaid
from control.orchestrator.defaults import Defaults
from control.orchestrator.egress.capabilities import PLAIN, Capabilities
from control.orchestrator.identity import INSTANCE, PROBE
from control.orchestrator.kinds import POD, POLICIES, Object, applied, kind_of
from control.orchestrator.probing.pods import ProbePod, held, listening, sample
from control.orchestrator.probing.readings import NoWord, address_of, seen_by, waits_for
from control.orchestrator.probing.trials import Trial, trial_of
from control.orchestrator.probing.verdicts import Seen, verdict
from control.registry.enforcement import Enforcement, RuleKind
from control.registry.environment import Environment
from control.registry.probe_targets import ProbeTarget
from control.servers.runtime import Refused, RuntimeAway
from core.identifiers import new_id

T = TypeVar("T")

STARTS_WITHIN_S: Final = 90.0
"""A pod: its image may have to be pulled."""
ENDS_WITHIN_S: Final = 150.0
"""All pods that try: they start, and try three times for as long as `TRIES_S` and a while."""
LOOK_S: Final = 1.0
CLEAR_WITHIN_S: Final = 5.0
"""Short, since a control that ends waits for it."""


class Prober:
    """Probes the environments of one deployment in its cluster."""

    def __init__(
        self,
        cluster: Cluster,
        defaults: Defaults,
        targets: Sequence[ProbeTarget] = (),
        capabilities: Callable[[], Capabilities] = lambda: PLAIN,
    ) -> None:
        """`capabilities`: what the cluster can do, as it is known now."""
        self._cluster, self._defaults, self._targets, self._capabilities = cluster, defaults, targets, capabilities
        self._labels = f"{INSTANCE}={defaults.instance_id},{PROBE}"

    async def rests_on(self) -> Any:
        """What, beside the environment, is reason for another probe when it changes."""
        defaults = self._defaults
        inherited = (defaults.namespace, defaults.node_selector, defaults.tolerations, defaults.base_image)
        capabilities = self._capabilities()
        of_cluster = (capabilities.provider, capabilities.dns, [str(one) for one in capabilities.never])
        return inherited, of_cluster, [str(one) for one in self._targets]

    async def probe(self, environment: Environment, kinds: Sequence[RuleKind]) -> list[Enforcement]:
        """What became of it, for each of these kinds of rules. Raises RuntimeAway: then nothing new is known."""
        namespace = environment.namespace or self._defaults.namespace
        try:
            await self.clear(namespace)
            return await self._probed(environment, namespace, kinds)
        except ClusterSaid as said:
            return _all(kinds, f"The cluster refused the probe: {said.message}")
        except NoWord as why:
            return _all(kinds, str(why))
        finally:
            with suppress(RuntimeAway, ClusterSaid, TimeoutError):
                async with asyncio.timeout(CLEAR_WITHIN_S):
                    await self.clear(namespace)

    async def _probed(self, environment: Environment, namespace: str, kinds: Sequence[RuleKind]) -> list[Enforcement]:
        listener = listening(environment, self._defaults, new_id())
        # None is there yet. Who may not delete it makes none: rehearsals need the right to create pods alone.
        await self._cluster.delete(POD, namespace, listener.name)
        await self._make(namespace, listener)
        found = await self._until(namespace, [listener.name], address_of, STARTS_WITHIN_S)
        address = _or_raised(found[listener.name])
        capabilities = self._capabilities()
        trials = [trial_of(kind, address, self._targets, capabilities.never) for kind in kinds]
        everything = [target for trial in trials for target in (*trial.opens, *trial.shuts)]
        free = sample(environment, self._defaults, new_id(), everything)
        trying: dict[RuleKind, ProbePod] = {}
        told: dict[RuleKind, Seen | NoWord] = {}
        for one in trials:
            try:
                trying[one.kind] = held(environment, self._defaults, capabilities, new_id(), one)
            except Refused as why:
                told[one.kind] = NoWord(f"No policy can be made of these rules: {why.message}")
        for pod in (free, *trying.values()):
            await self._make(namespace, pod)
        names = [pod.name for pod in (free, *trying.values())]
        seen = await self._until(namespace, names, seen_by, ENDS_WITHIN_S)
        told |= {kind: seen[pod.name] for kind, pod in trying.items()}
        judged = [_judged(one, told[one.kind], seen[free.name]) for one in trials]
        return [replace(one, provider=capabilities.provider) for one in judged]

    async def _make(self, namespace: str, made: ProbePod) -> None:
        for one in made.policies:  # first, else its pod would be there unconfined for a moment
            await self._cluster.apply(kind_of(one), namespace, one)
        await self._cluster.create(POD, namespace, made.pod)

    async def _until(
        self, namespace: str, names: Sequence[str], read: Callable[[Object], T | None], within: float
    ) -> dict[str, T | NoWord]:
        """What is read of each of these pods; NoWord instead where nothing will be, or was not within the time."""
        known: dict[str, T | NoWord] = {}
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        while True:
            listed, _ = await self._cluster.list(POD, namespace, self._labels)
            there = {pod["metadata"]["name"]: pod for pod in listed}
            for name in [name for name in names if name not in known]:
                try:
                    found = read(there[name]) if name in there else None
                except NoWord as why:
                    known[name] = why
                else:
                    known |= {} if found is None else {name: found}
            if len(known) == len(names):
                return known
            if loop.time() >= end:
                return {name: waits_for(there.get(name)) for name in names} | known
            await asyncio.sleep(LOOK_S)

    async def clear(self, namespace: str) -> None:
        """Take away all that is of any probe in this namespace: pods first, then what confines them. Raises
        RuntimeAway and ClusterSaid.
        """
        listed, _ = await self._cluster.list(POD, namespace, self._labels)
        for pod in listed:
            await self._cluster.delete(POD, namespace, pod["metadata"]["name"])
        for kind in applied(self._capabilities().provider):
            if kind in POLICIES:
                policies, _ = await self._cluster.list(kind, namespace, self._labels)
                for policy in policies:
                    await self._cluster.delete(kind, namespace, policy["metadata"]["name"])


def _or_raised(found: T | NoWord) -> T:
    if isinstance(found, NoWord):
        raise found
    return found


def _judged(trial: Trial, seen: Seen | NoWord, sampled: Seen | NoWord) -> Enforcement:
    """What reached a denied target is told even where nothing else is known."""
    if isinstance(seen, NoWord):
        return Enforcement(kind=trial.kind, state="unknown", reason=str(seen))
    state, reason = verdict(trial, seen, {} if isinstance(sampled, NoWord) else sampled)
    if isinstance(sampled, NoWord) and state == "unknown":
        reason = str(sampled)
    return Enforcement(kind=trial.kind, state=state, reason=reason)


def _all(kinds: Sequence[RuleKind], reason: str) -> list[Enforcement]:
    return [Enforcement(kind=kind, state="unknown", reason=reason) for kind in kinds]
