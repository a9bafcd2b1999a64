from __future__ import annotations

import pytest

from core.snapshot import Rule
from proxy.gateways.compiled import compiled_tool
from proxy.offered.task import ToolTask
from tests.fakes.call_parts import tool

QUARANTINE = Rule("refuse", "quarantined", ["t"])


def task(method: str) -> ToolTask:
    return ToolTask(compiled_tool(tool(), QUARANTINE), method, "task-1")


def test_a_request_about_a_task_is_limited_allowed_and_recorded_as_a_call_of_its_tool() -> None:
    one = task("tasks/get")
    assert (one.exposed, one.assignment_id, one.route) == (one.tool.exposed, one.tool.assignment_id, one.tool.route)
    assert one.rule is QUARANTINE


def test_its_server_is_asked_by_its_own_identifier() -> None:
    assert task("tasks/cancel").asks({"taskId": "ours", "more": 1}) == ("tasks/cancel", {"taskId": "task-1"})


def test_what_has_become_of_a_task_is_marked_as_a_task() -> None:
    assert task("tasks/get").result_of({"status": "working"}) == {"status": "working", "resultType": "task"}


@pytest.mark.parametrize("method", ["tasks/update", "tasks/cancel"])
def test_of_what_a_server_adds_to_its_word_that_it_has_heard_nothing_is_left(method: str) -> None:
    assert task(method).result_of({"taskId": "task-1", "status": "working"}) == {}


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
def test_a_result_of_another_kind_is_none(method: str) -> None:
    assert task(method).result_of({"resultType": "input_required"}) is None


@pytest.mark.parametrize(("code", "callers"), [(-32602, True), (-32603, False)])
def test_that_there_is_no_such_task_is_the_callers_to_know(code: int, callers: bool) -> None:
    assert task("tasks/get").is_callers_fault(code) is callers
    assert task("tasks/get").instead_of(code) is None
