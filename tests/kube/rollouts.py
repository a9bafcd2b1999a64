"""The controllers of a fake cluster: a Deployment gets a ReplicaSet and pods, which fare as a test says.

One that rolls (`RollingUpdate`) keeps the pods of the older ReplicaSet until those of the newer are ready.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from typing import Any

from tests.kube.kept_objects import KeptObjects, Key
from tests.kube.kinds import BUILT_IN
from tests.kube.outcomes import READY, Outcome, deployment_status, pod_status

Thing = dict[str, Any]
_KINDS = {one.plural: one for one in BUILT_IN}
REVISION = "deployment.kubernetes.io/revision"


class Rollouts:
    """What becomes of Deployments. `outcome` is asked for each; `become` settles one by its name."""

    def __init__(self, objects: KeptObjects) -> None:
        self._objects = objects
        self._made = 0
        self._settled: dict[tuple[str, str], Outcome] = {}
        self.outcome: Callable[[Thing], Outcome] = lambda deployment: READY
        self.alone: Callable[[Thing], Thing] = lambda pod: {}
        """The status of a pod that nothing made but a test, or what it tests; {}: no node has looked at it yet."""
        self.on = True
        """Off: nothing becomes of a Deployment, as in an API server without controllers."""
        objects.on_change = self.changed

    def become(self, namespace: str, name: str, outcome: Outcome) -> None:
        """From now on this Deployment fares so."""
        self._settled[namespace, name] = outcome
        self._roll((_KINDS["deployments"], namespace, name))

    def changed(self, key: Key) -> None:
        """What the objects tell of each change: looked at after it, not within it."""
        if self.on:
            asyncio.get_running_loop().call_soon(self._look_at, key)

    def _look_at(self, key: Key) -> None:
        if key not in self._objects.all:
            return
        if self._objects.is_orphan(key):
            self._objects.remove(key)
        elif key[0].plural == "namespaces":
            self._objects.write((_KINDS["serviceaccounts"], key[2], "default"), {}, {}, status=True)
        elif key[0].plural in {"replicasets", "pods"}:
            if owner := self._objects.owner_of(key):
                self._look_at(owner)
            elif key[0].plural == "pods":
                self._run_alone(key)
        else:
            self._roll(key)

    def _run_alone(self, key: Key) -> None:
        pod = self._objects.all[key]
        status = self.alone(pod)
        if status and status != pod.get("status"):
            self._objects.write(key, pod | {"status": status}, self._objects.owners[key], status=True)

    def _roll(self, key: Key) -> None:
        deployment = self._objects.all.get(key)
        if deployment is None or key[0].plural != "deployments":
            return
        _, namespace, name = key
        outcome = self._settled.get((namespace, name)) or self.outcome(deployment)
        template, replicas = deployment["spec"]["template"], deployment["spec"]["replicas"]
        digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]
        newest: Key = (_KINDS["replicasets"], namespace, f"{name}-{digest}")
        older = [one for one in self._objects.owned_by(key) if one[0].plural == "replicasets" and one != newest]
        keeps = not outcome.ready and deployment["spec"]["strategy"]["type"] == "RollingUpdate"
        old_ready = self._scale_down(older, keep=keeps)
        self._make_set(newest, deployment, older)
        self._make_pods(newest, template, 0 if outcome.refused else replicas, outcome)
        status = deployment_status(
            outcome,
            deployment["metadata"]["generation"],
            replicas=replicas,
            old_ready=old_ready,
            new_set=newest[2],
        )
        self._objects.write(key, deployment | {"status": status}, self._objects.owners[key], status=True)

    def _scale_down(self, sets: list[Key], *, keep: bool) -> int:
        """How many pods of older ReplicaSets answer and stay."""
        ready = 0
        for one in sets:
            for pod in self._objects.owned_by(one):
                stays = keep and _is_ready(self._objects.all[pod])
                ready += stays
                if not stays:
                    self._objects.remove(pod)
        return ready

    def _make_set(self, key: Key, deployment: Thing, older: list[Key]) -> None:
        spec = {name: deployment["spec"][name] for name in ("replicas", "selector", "template")}
        before = [int(self._objects.all[one]["metadata"]["annotations"][REVISION]) for one in older]
        known = self._objects.all.get(key)
        mine = int(known["metadata"]["annotations"][REVISION]) if known else 0
        revision = max([mine, *(one + 1 for one in before), 1])
        metadata = {"annotations": {REVISION: str(revision)}, "ownerReferences": [_owner(deployment)]}
        metadata["labels"] = deployment["spec"]["template"]["metadata"].get("labels", {})
        self._objects.write(key, {"metadata": metadata, "spec": spec}, {}, status=True)

    def _make_pods(self, newest: Key, template: Thing, count: int, outcome: Outcome) -> None:
        there = self._objects.owned_by(newest)
        for surplus in there[count:]:
            self._objects.remove(surplus)
        self._made += max(count - len(there), 0)
        names = [f"{newest[2]}-{self._made - number:05d}" for number in range(count - len(there))]
        for pod in [*there[:count], *((_KINDS["pods"], newest[1], name) for name in names)]:
            metadata = {**template["metadata"], "ownerReferences": [_owner(self._objects.all[newest])]}
            image, address = template["spec"]["containers"][0]["image"], f"10.1.0.{self._made % 250 + 1}"
            thing = {"metadata": metadata, "spec": template["spec"], "status": pod_status(outcome, image, address)}
            self._objects.write(pod, thing, {}, status=True)


def _is_ready(pod: Thing) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _owner(thing: Thing) -> Thing:
    named = {"name": thing["metadata"]["name"], "uid": thing["metadata"]["uid"]}
    return {"apiVersion": thing["apiVersion"], "kind": thing["kind"], **named, "controller": True}
