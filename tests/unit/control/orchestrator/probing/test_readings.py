from __future__ import annotations

import pytest

from control.orchestrator.probing.readings import NoWord, Thing, address_of, seen_by, waits_for
from tests.kube.outcomes import CREATING, IMAGE_DENIED, IMAGE_NAME, READY, UNSCHEDULABLE, Outcome, pod_status
from tests.kube.probed_network import ended


def pod(status: Thing) -> Thing:
    return {"metadata": {"name": "mcp-probe-1"}, "status": status}


def fares(outcome: Outcome) -> Thing:
    return pod(pod_status(outcome, "a", "10.1.0.9"))


def test_a_pod_listens_once_its_program_runs() -> None:
    assert address_of(fares(CREATING)) is None
    assert address_of(fares(READY)) == "10.1.0.9"


def test_what_it_saw_is_its_last_word() -> None:
    assert seen_by(fares(READY)) is None
    assert seen_by(pod(ended('{"a:1": "reached"}\n'))) == {"a:1": "reached"}


@pytest.mark.parametrize("word", ["", "nonsense", "[]", '{"a:1": "fine"}', '{"a:1": ["reached"]}'])
def test_words_that_are_none_are_not_believed(word: str) -> None:
    with pytest.raises(NoWord, match="without a word"):
        seen_by(pod(ended(word)))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (ended("No module named bridge.reach", 1, "Error"), "ended with status 1: No module named bridge.reach"),
        (ended("", 137, "OOMKilled"), "ended with status 137: OOMKilled"),
        ({"phase": "Failed", "reason": "Evicted", "message": "low on disk"}, "was ended. Evicted: low on disk"),
        (pod_status(IMAGE_NAME, "a", ""), "cannot start. The name of its image is none. Failed to apply"),
    ],
    ids=["no program", "out of memory", "evicted", "bad image name"],
)
def test_a_pod_that_will_never_tell_says_why(status: Thing, said: str) -> None:
    for read in (address_of, seen_by):
        with pytest.raises(NoWord, match=said):
            read(pod(status))


def test_one_that_waits_may_still_come() -> None:
    assert address_of(fares(UNSCHEDULABLE)) is None
    assert "No machine of the cluster has room for it. 0/3 nodes" in str(waits_for(fares(UNSCHEDULABLE)))
    assert "pull access denied" in str(waits_for(fares(IMAGE_DENIED)))
    assert str(waits_for(None)) == "The probe's pod was taken away by somebody."
