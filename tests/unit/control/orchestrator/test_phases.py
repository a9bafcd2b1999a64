"""How a server does, from the objects of a cluster: of its newest change, and what still answers of an older one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from control.orchestrator.bridge_words import BridgeSaid
from control.orchestrator.objects import objects_of
from control.orchestrator.phases import newest_pod, state_of
from control.registry.server_state import LONGEST_MESSAGE, ServerState
from tests.kube import outcomes
from tests.kube.outcomes import Outcome, deployment_status, pod_status
from tests.kube.wanted_servers import DEFAULTS, HTTP, INSTALLATION, STDIO

Thing = dict[str, Any]
REVISION = "deployment.kubernetes.io/revision"


def deployment(outcome: Outcome, *, old_ready: int = 0, wanted: Any = STDIO) -> Thing:
    made = next(one for one in objects_of(wanted, DEFAULTS) if one["kind"] == "Deployment")
    metadata = made["metadata"] | {"uid": "deployment", "generation": 2}
    status = deployment_status(outcome, 2, replicas=1, old_ready=old_ready, new_set="mcp-time-2")
    return made | {"metadata": metadata, "status": status}


def replica_set(revision: int) -> Thing:
    owner = [{"kind": "Deployment", "uid": "deployment"}]
    annotations = {REVISION: str(revision)}
    return {
        "metadata": {
            "name": f"s-{revision}",
            "uid": f"set-{revision}",
            "annotations": annotations,
            "ownerReferences": owner,
        }
    }


def pod(revision: int, outcome: Outcome, made_at: str = "2026-11-29T12:00:00Z") -> Thing:
    owner = [{"kind": "ReplicaSet", "uid": f"set-{revision}"}]
    metadata = {
        "name": f"p-{revision}",
        "uid": f"pod-{revision}",
        "ownerReferences": owner,
        "creationTimestamp": made_at,
    }
    return {"metadata": metadata, "status": pod_status(outcome, "x:1", "10.1.0.1")}


def state(outcome: Outcome, *pods: Thing, **more: Any) -> ServerState:
    """Of a server whose newest change, the tenth, fares so."""
    found = pods or (() if outcome.refused else (pod(10, outcome),))
    return state_of(INSTALLATION, deployment(outcome), [replica_set(9), replica_set(10)], found, **more)


@pytest.mark.parametrize(
    ("outcome", "phase", "cause"),
    [
        (outcomes.READY, "ready", ""),
        (outcomes.CREATING, "pulling", ""),
        (outcomes.STARTING, "starting", ""),
        (outcomes.IMAGE_ABSENT, "pulling", "image_pull"),
        (outcomes.IMAGE_DENIED, "pulling", "image_pull"),
        (outcomes.IMAGE_OVERDUE, "failed", "image_pull"),
        (outcomes.IMAGE_NAME, "failed", "image_name"),
        (outcomes.SECRET_MISSING, "failed", "secret_missing"),
        (outcomes.UNSCHEDULABLE, "pending", "unschedulable"),
        (replace(outcomes.UNSCHEDULABLE, overdue=True, name="no node for long"), "failed", "unschedulable"),
        (outcomes.REFUSED, "failed", "refused_by_cluster"),
        (outcomes.OVER_QUOTA, "failed", "refused_by_cluster"),
        (outcomes.CRASHED_ONCE, "starting", "crashed"),
        (outcomes.CRASH_LOOP, "failed", "crashed"),
        (outcomes.OUT_OF_MEMORY, "failed", "out_of_memory"),
        (outcomes.NO_PROGRAM, "failed", "no_such_program"),
        (outcomes.NEVER_READY, "failed", "starting_too_long"),
    ],
    ids=lambda value: value.name if isinstance(value, Outcome) else "",
)
def test_each_failure_has_its_phase_and_cause(outcome: Outcome, phase: str, cause: str) -> None:
    found = state(outcome)
    assert (found.phase, found.cause) == (phase, cause)
    assert bool(found.message) == bool(cause)


def test_a_crash_is_seen_though_the_deployment_calls_itself_available() -> None:
    """Without a probe that holds, `NewReplicaSetAvailable` stands beside a pod that crashes again and again."""
    claims = deployment(outcomes.READY)
    found = state_of(INSTALLATION, claims, [replica_set(10)], [pod(10, outcomes.CRASH_LOOP)])
    assert (found.phase, found.cause) == ("failed", "crashed")


def test_the_newest_change_counts_and_not_the_one_whose_number_is_greater_as_text() -> None:
    found = state(outcomes.IMAGE_NAME, pod(9, outcomes.CRASH_LOOP), pod(10, outcomes.IMAGE_NAME))
    assert found.cause == "image_name"


@pytest.mark.parametrize("outcome", [outcomes.IMAGE_ABSENT, outcomes.CRASH_LOOP], ids=lambda one: one.name)
def test_while_an_older_change_answers_it_is_degraded_with_the_cause_of_the_newest(outcome: Outcome) -> None:
    found = state(outcome, pod(9, outcomes.READY), pod(10, outcome))
    assert found.phase == "degraded"
    assert found.cause == state(outcome).cause
    assert found.answers


def test_a_refusal_takes_nothing_from_what_answers() -> None:
    found = state(outcomes.REFUSED, pod(9, outcomes.READY))
    assert (found.phase, found.cause) == ("degraded", "refused_by_cluster")


def test_what_the_cluster_has_not_looked_at_yet_is_pending_and_not_what_was_before() -> None:
    newer = deployment(outcomes.CRASH_LOOP)
    newer["metadata"]["generation"] = 3
    found = state_of(INSTALLATION, newer, [replica_set(10)], [pod(10, outcomes.CRASH_LOOP)])
    assert (found.phase, found.cause) == ("pending", "")
    assert state_of(INSTALLATION, {**newer, "status": {}}, [], []).phase == "pending"


@pytest.mark.parametrize("how", ["deleted", "scaled down"])
def test_one_that_is_taken_away_is_stopping(how: str) -> None:
    going = deployment(outcomes.READY)
    if how == "deleted":
        going["metadata"]["deletionTimestamp"] = "2026-11-29T12:00:00Z"
    else:
        going["spec"] = going["spec"] | {"replicas": 0}
    assert state_of(INSTALLATION, going, [replica_set(10)], [pod(10, outcomes.READY)]).phase == "stopping"


def test_a_pod_that_was_evicted_does_not_count_beside_another() -> None:
    evicted = pod(10, outcomes.CRASH_LOOP, "2026-11-29T13:00:00Z")
    evicted["status"]["phase"] = "Failed"
    assert state(outcomes.READY, evicted, pod(10, outcomes.READY)).phase == "ready"


def test_it_says_of_which_generation_it_is_and_where_it_is_called() -> None:
    found = state(outcomes.READY)
    assert (found.generation, found.place, found.isolation) == (STDIO.generation, "cluster", "kubernetes")
    assert found.endpoint == "http://mcp-time-112233445566.servers.svc:8080/mcp"
    assert found.resolved == {"image": f"registry.example/a@{outcomes.DIGEST}"}
    over_http = state_of(INSTALLATION, deployment(outcomes.READY, wanted=HTTP), [], [])
    assert over_http.endpoint == "http://mcp-orders-112233445566.servers.svc:9000/api/mcp"


@pytest.mark.parametrize("path", ["", "x", "@evil.example/mcp"])
def test_an_address_is_made_of_no_path_that_leads_elsewhere(path: str) -> None:
    edited = deployment(outcomes.READY)
    edited["metadata"]["annotations"] = {"archway.dev/path": path, "archway.dev/generation": "3"}
    assert state_of(INSTALLATION, edited, [], []).endpoint == ""


def test_a_message_is_short_and_without_secrets() -> None:
    long = replace(outcomes.IMAGE_NAME, state={"waiting": {"reason": "InvalidImageName", "message": "canary " * 900}})
    found = state(long, redact=lambda text: text.replace("canary", "[redacted]"))
    assert "canary" not in found.message
    assert len(found.message) == LONGEST_MESSAGE


@pytest.mark.parametrize(
    ("said", "phase"),
    [
        (BridgeSaid("crashed", "It ended with status 1.", 1), "starting"),
        (BridgeSaid("crashed", "It ended with status 1.", 3), "failed"),
        (BridgeSaid("no_such_program", "serve: No such file or directory", 1), "failed"),
    ],
    ids=["once", "again and again", "no program"],
)
def test_behind_a_bridge_the_bridge_says_why_its_server_does_not_run(said: BridgeSaid, phase: str) -> None:
    found = state(outcomes.STARTING, bridge=said)
    assert (found.phase, found.cause, found.message) == (phase, said.cause, said.message)


def test_of_a_pod_that_is_ready_an_old_word_of_the_bridge_says_nothing() -> None:
    assert state(outcomes.READY, bridge=BridgeSaid("crashed", "x", 9)).phase == "ready"


def test_the_log_of_a_server_is_that_of_its_newest_pod() -> None:
    pods = [pod(10, outcomes.READY), pod(9, outcomes.READY, "2026-11-29T13:00:00Z")]
    found = newest_pod(deployment(outcomes.READY), [replica_set(9), replica_set(10)], pods)
    assert found is pods[0]
    assert newest_pod(deployment(outcomes.READY), [], pods) is None


def test_one_without_pods_since_nobody_calls_it_is_asleep_while_its_pod_still_ends() -> None:
    found = deployment(outcomes.READY, wanted=replace(STDIO, asleep=True))
    told = state_of(INSTALLATION, found, [replica_set(10)], [pod(10, outcomes.READY)])
    assert (told.phase, told.cause, told.endpoint) == ("asleep", "", "")


def test_one_that_is_woken_does_not_answer_by_the_pod_that_still_ends() -> None:
    ending, fresh = pod(10, outcomes.READY), pod(10, outcomes.STARTING, "2026-11-29T12:05:00Z")
    ending["metadata"]["deletionTimestamp"] = "2026-11-29T12:04:59Z"
    assert state(outcomes.STARTING, ending, fresh).phase == "starting"
