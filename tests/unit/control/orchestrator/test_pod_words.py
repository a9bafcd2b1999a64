"""How a pod fares, for each word in which the API says it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from control.orchestrator.pod_words import Words, is_ready, pulled_image, restarts_of, words_of
from tests.kube import outcomes
from tests.kube.outcomes import Outcome, pod_status

UID = "0193a1b2-0000-4000-8000-0000000000cc"


def pod(outcome: Outcome) -> dict[str, Any]:
    return {"metadata": {"name": "mcp-a-1-2", "uid": UID}, "status": pod_status(outcome, "x:1", "10.1.0.1")}


def event(message: str, uid: str = UID) -> dict[str, Any]:
    return {"involvedObject": {"kind": "Pod", "uid": uid}, "message": message}


@pytest.mark.parametrize(
    ("outcome", "phase", "cause"),
    [
        (outcomes.READY, "ready", ""),
        (outcomes.CREATING, "pulling", ""),
        (outcomes.STARTING, "starting", ""),
        (outcomes.IMAGE_ABSENT, "pulling", "image_pull"),
        (outcomes.IMAGE_BACK_OFF, "pulling", "image_pull"),
        (outcomes.IMAGE_DENIED, "pulling", "image_pull"),
        (outcomes.IMAGE_NAME, "failed", "image_name"),
        (outcomes.SECRET_MISSING, "failed", "secret_missing"),
        (outcomes.UNSCHEDULABLE, "pending", "unschedulable"),
        (outcomes.CRASHED_ONCE, "starting", "crashed"),
        (outcomes.CRASH_LOOP, "failed", "crashed"),
        (outcomes.OUT_OF_MEMORY, "failed", "out_of_memory"),
        (outcomes.NO_PROGRAM, "failed", "no_such_program"),
    ],
    ids=lambda value: value.name if isinstance(value, Outcome) else "",
)
def test_each_outcome_has_its_word(outcome: Outcome, phase: str, cause: str) -> None:
    words = words_of(pod(outcome))
    assert (words.phase, words.cause) == (phase, cause)


def test_the_answer_of_a_registry_is_the_same_while_it_waits_for_the_next_try() -> None:
    trying, waiting = words_of(pod(outcomes.IMAGE_ABSENT)), words_of(pod(outcomes.IMAGE_BACK_OFF))
    assert trying == waiting
    assert trying.message.endswith("registry.example/none:1: not found")


def test_what_an_older_kubelet_leaves_out_is_in_an_event() -> None:
    state = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "registry.example/none:1"'}}
    failed = 'Failed to pull image "registry.example/none:1": not found'
    events = [event("Failed to pull image of another", "another"), event(failed), event("Back-off pulling image")]
    assert words_of(pod(replace(outcomes.IMAGE_ABSENT, state=state)), events).message == failed


def test_a_pull_secret_that_is_not_there_is_told_by_an_event() -> None:
    said = "Unable to retrieve some image pull secrets (gone); attempting to pull the image may not succeed."
    words = words_of(pod(outcomes.IMAGE_DENIED), [event(said)])
    assert words.cause == "pull_secret_missing"
    assert "gone" in words.message
    assert "authorization failed" in words.message


def test_a_secret_of_files_that_is_not_there_is_told_by_an_event() -> None:
    said = 'MountVolume.SetUp failed for volume "files" : secret "x" not found'
    assert words_of(pod(outcomes.CREATING), [event(said)]).cause == "secret_missing"
    assert words_of(pod(outcomes.CREATING), [event(said, "another")]).cause == ""


def test_a_setting_that_cannot_be_is_not_a_missing_secret() -> None:
    message = "container has runAsNonRoot and image will run as root"
    state = {"waiting": {"reason": "CreateContainerConfigError", "message": message}}
    words = words_of(pod(replace(outcomes.SECRET_MISSING, state=state)))
    assert (words.cause, words.message) == ("configuration", message)


def test_its_last_words_are_told_with_the_status_of_its_end() -> None:
    assert words_of(pod(outcomes.CRASH_LOOP)).message == "It ended with status 1.\nTraceback\nKeyError: 'API_KEY'"
    assert words_of(pod(outcomes.OUT_OF_MEMORY)).message == "It ended with status 137."


def test_one_that_runs_again_and_has_not_answered_keeps_the_cause_of_its_end() -> None:
    again = replace(outcomes.CRASH_LOOP, state=outcomes.STARTING.state)
    words = words_of(pod(again))
    assert (words.phase, words.cause) == ("starting", "crashed")


def test_one_that_answered_and_does_not_any_more_does_not_answer() -> None:
    silent = pod(outcomes.STARTING)
    silent["status"]["containerStatuses"][0]["started"] = True
    assert (words_of(silent).phase, words_of(silent).cause) == ("failed", "not_answering")


def test_one_that_is_about_to_end_is_not_ready() -> None:
    ending = pod(outcomes.READY)
    ending["metadata"]["deletionTimestamp"] = "2026-11-29T12:00:00Z"
    assert is_ready(pod(outcomes.READY))
    assert not is_ready(ending)


def test_a_pod_without_a_status_is_pending() -> None:
    assert words_of({"metadata": {}}).phase == "pending"


def test_its_image_is_told_with_its_digest_and_how_often_it_was_restarted() -> None:
    assert pulled_image(pod(outcomes.READY)) == f"registry.example/a@{outcomes.DIGEST}"
    pulled = replace(outcomes.READY, image_id=f"docker-pullable://x@{outcomes.DIGEST}")
    assert pulled_image(pod(pulled)) == f"x@{outcomes.DIGEST}"
    assert pulled_image(pod(outcomes.CREATING)) == ""
    assert restarts_of(pod(outcomes.CRASH_LOOP)) == 4


def before_it(**state: Any) -> dict[str, Any]:
    """A pod whose server waits for an init container in this state, behind one that has done its work."""
    waits = pod(outcomes.CREATING)
    done = {"name": "done", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
    fetch = {"name": "fetch", "restartCount": 0, "state": state}
    return {**waits, "status": {**waits["status"], "initContainerStatuses": [done, fetch]}}


def test_an_init_container_that_fails_is_told_by_its_name() -> None:
    words = words_of(before_it(terminated={"exitCode": 1, "message": "no such model"}))
    assert (words.phase, words.cause) == ("starting", "crashed")
    assert words.message == "Init container fetch: It ended with status 1.\nno such model"
    words = words_of(before_it(waiting={"reason": "ErrImagePull", "message": "not found"}))
    assert (words.phase, words.cause) == ("pulling", "image_pull")


def test_while_an_init_container_runs_its_server_starts() -> None:
    assert words_of(before_it(running={})) == Words("starting")


def test_when_all_have_done_their_work_the_server_counts() -> None:
    assert words_of(before_it(terminated={"exitCode": 0})).phase == "pulling"
