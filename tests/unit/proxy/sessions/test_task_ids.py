from __future__ import annotations

import time

import pytest

from core.keys import new_key, parse_key_ring
from core.sealing import SealBroken
from proxy.sessions import task_ids
from proxy.sessions.task_ids import LIFETIME_S, LONGEST, LONGEST_OF_SERVER, TaskGone, close_task, open_task

RING = parse_key_ring("proxy", new_key())
MINE = ("gateway", "user:ann")


def test_an_identifier_says_which_task_of_which_tool_it_is_and_where() -> None:
    closed = close_task(RING, "task-1", "crm__export", "installation", MINE)
    task = open_task(RING, closed, MINE)
    assert (task.theirs, task.tool, task.place) == ("task-1", "crm__export", "installation")


@pytest.mark.parametrize("other", [("another", "user:ann"), ("gateway", "user:bob")])
def test_it_is_of_one_caller_on_one_gateway(other: tuple[str, str]) -> None:
    with pytest.raises(SealBroken):
        open_task(RING, close_task(RING, "task-1", "t", "i", MINE), other)


def test_it_ends_after_its_days(monkeypatch: pytest.MonkeyPatch) -> None:
    closed, now = close_task(RING, "task-1", "t", "i", MINE), time.time()
    monkeypatch.setattr(task_ids.time, "time", lambda: now + LIFETIME_S - 60)
    open_task(RING, closed, MINE)
    monkeypatch.setattr(task_ids.time, "time", lambda: now + LIFETIME_S + 60)
    with pytest.raises(TaskGone):
        open_task(RING, closed, MINE)


@pytest.mark.parametrize("theirs", ["x" * LONGEST_OF_SERVER, "é" * (LONGEST_OF_SERVER // 2)])
def test_the_longest_of_a_server_fits_a_header(theirs: str) -> None:
    closed = close_task(RING, theirs, "t" * 128, "i" * 36, MINE)
    assert closed is not None
    assert len(closed) <= LONGEST
    assert open_task(RING, closed, MINE).theirs == theirs


@pytest.mark.parametrize(("theirs", "tool"), [("x" * (LONGEST_OF_SERVER + 1), "t"), ("x", "t" * LONGEST)])
def test_one_that_fits_no_header_is_none(theirs: str, tool: str) -> None:
    assert close_task(RING, theirs, tool, "i", MINE) is None
