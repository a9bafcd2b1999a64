"""What becomes of probe pods in the fake cluster: each is started by a node, and sees what a test says is reached.

A real one runs `bridge/reach.py`, which tests of network namespaces run (`tests/trust/test_reach_in_namespaces.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from core.reach_terms import Outcome
from tests.kube.fake_server import FakeKube
from tests.kube.outcomes import ENDED, READY, STARTED, pod_status

Thing = dict[str, Any]
LISTENER = "10.1.0.9"


def ended(message: str, code: int = 0, reason: str = "Completed") -> Thing:
    """The status of a pod that ended, having written this."""
    said = {"exitCode": code, "reason": reason, "message": message, "startedAt": STARTED, "finishedAt": ENDED}
    container = {"name": "server", "image": "a", "imageID": "", "ready": False, "restartCount": 0}
    phase = "Failed" if code else "Succeeded"
    return {"phase": phase, "containerStatuses": [container | {"state": {"terminated": said}}]}


class ProbedNetwork:
    """A cluster's network as far as probes see it."""

    def __init__(self, kube: FakeKube) -> None:
        self._kube = kube
        self.enforces = True
        """Whether a policy holds, or is accepted and ignored."""
        self.away: set[str] = set()
        """Targets that answer nobody."""
        self.statuses: Callable[[Thing], Thing] = self.runs
        self.pods: list[Thing] = []
        """All that were ever made, as they were."""
        self.policies: dict[str, Thing] = {}
        """By the name of the pod that they hold."""
        kube.rollouts.alone = self._looked_at

    def _looked_at(self, pod: Thing) -> Thing:
        return self.statuses(pod)

    def runs(self, pod: Thing) -> Thing:
        """The status of a pod that a node started."""
        if pod.get("status"):
            return {}
        self.pods.append(pod)
        name = pod["metadata"]["name"]
        policy = self._kube.thing("networkpolicies", pod["metadata"]["namespace"], name)
        assert policy is not None, "a pod was there before what confines it"
        self.policies[name] = policy
        arguments = pod["spec"]["containers"][0]["args"]
        if "--listen" in arguments:
            return pod_status(READY, "a", LISTENER)
        is_free = policy["spec"].get("egress") == [{}]
        return ended(json.dumps({target: self._outcome(way, target, is_free) for way, target in tried(arguments)}))

    def _outcome(self, way: str, target: str, is_free: bool) -> Outcome:
        if target in self.away:
            return "blocked"
        return "reached" if is_free or way == "open" or not self.enforces else "blocked"


def tried(arguments: list[str]) -> list[tuple[str, str]]:
    """What a pod tries: `open` or `shut`, and the target."""
    pairs = [argument.removeprefix("--").partition("=") for argument in arguments]
    return [(way, target) for way, _, target in pairs if way in {"open", "shut"}]
