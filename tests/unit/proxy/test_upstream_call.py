"""A call in steps: it ends once, whatever ends it, gives back what it held and leaves one record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from core.mcp.faults import MessageFault
from core.tasks import Tasks
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.refusals import Refusal
from proxy.room import at_end
from proxy.sessions.sealed import Session
from proxy.stages.apply_limits import apply_limits
from proxy.stages.choose_tool import choose_tool
from proxy.upstream_call import Stage, UpstreamCall, begin
from tests.fakes.call_parts import exchange, gateway, parts, tool


class Waits:
    """Something to wait for, which can be abandoned."""

    def __init__(self) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.abandoned = False
        self.ready: Callable[[], None] = never

    def then(self, ready: Callable[[], None]) -> None:
        self.ready = ready

    def abandon(self) -> None:
        self.abandoned = True

    def __await__(self) -> Generator[Any, None, None]:
        return self.done.__await__()


def answers(x: Exchange, deps: Deps) -> None:
    x.status, x.answer = "ok", Answer(200, b"{}")


def raises(error: Exception) -> Stage:
    def stage(x: Exchange, deps: Deps) -> None:
        raise error

    return stage


@asynccontextmanager
async def call(*stages: Stage, **held: Any) -> AsyncIterator[tuple[UpstreamCall, Exchange, Deps]]:
    """A call that holds a place at its upstream; at the end nothing is held, and there is one record."""
    async with parts() as deps:
        x = exchange(gateway([tool()], **held))
        yield begin(x, deps, (choose_tool, apply_limits, *stages)), x, deps
        assert deps.usage.calls_in_flight == 0
        assert deps.usage.at_servers == 0
        assert deps.records.kept == 1


async def test_a_call_that_waits_for_nothing_is_over_after_one_step() -> None:
    async with call(answers) as (one, x, _):
        assert one.step() is None
        assert x.answer == Answer(200, b"{}")
        assert one.step() is None


@pytest.mark.parametrize("in_a_task", [True, False])
async def test_a_step_ends_at_what_must_be_waited_for_and_the_next_goes_on_behind_it(in_a_task: bool) -> None:
    waits = Waits()
    async with call(lambda x, deps: waits, answers) as (one, x, deps):
        pending = one.step()
        assert pending is waits
        assert deps.usage.calls_in_flight == 1
        waits.done.set_result(None)
        if in_a_task:
            await one.rest(pending)
        else:
            assert one.step() is None
        assert x.status == "ok"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (Refusal("upstream_refused", server="s"), "upstream_refused", "result"),
        (MessageFault(-32602, "no"), "wrong_message", "error"),
        (ZeroDivisionError("a secret"), "internal", "error"),
    ],
    ids=["refusal", "fault", "bug"],
)
@pytest.mark.parametrize("later", [True, False])
async def test_what_a_stage_raises_is_the_answer_and_no_stage_follows(
    error: Exception, status: str, said: str, later: bool
) -> None:
    async def fails() -> None:
        raise error

    stage: Stage = (lambda x, deps: fails()) if later else raises(error)
    async with call(stage, raises(AssertionError("no stage follows"))) as (one, x, _):
        await one.rest(one.step())
        assert x.status == status
        assert x.answer is not None
        assert said in orjson.loads(x.answer.body)
        assert b"a secret" not in x.answer.body


def sends(waits: Waits) -> Stage:
    def stage(x: Exchange, deps: Deps) -> Waits:
        x.sent = waits  # type: ignore[assignment]  # what is used of it
        return waits

    return stage


def never() -> None:
    raise AssertionError("nobody is told from within")


async def test_a_call_that_goes_on_without_waiting_has_its_answer_at_once() -> None:
    async with call(answers) as (one, _, deps):
        assert one.go_on(never) == Answer(200, b"{}")
        assert not deps.calls._stepped


async def test_a_call_that_waits_for_its_upstream_is_registered_and_tells_when_to_go_on() -> None:
    waits, told = Waits(), []
    async with call(sends(waits), answers) as (one, _, deps):
        assert one.go_on(lambda: told.append("ready")) is None
        assert deps.calls._stepped == {one}
        waits.ready()
        assert told == ["ready"]
        assert one.go_on(never) == Answer(200, b"{}")
        assert not deps.calls._stepped


async def test_a_call_that_waits_for_anything_else_goes_on_in_a_task() -> None:
    waits = Waits()
    async with call(lambda x, deps: waits, answers) as (one, _, deps):
        rest = one.go_on(never)
        assert isinstance(rest, Awaitable)
        waits.done.set_result(None)
        assert await rest == Answer(200, b"{}")
        assert not deps.calls._stepped


async def test_a_call_whose_caller_has_left_goes_on_to_its_end_and_has_no_answer_for_anybody() -> None:
    waits = Waits()
    async with call(sends(waits), answers) as (one, x, deps):
        one.go_on(lambda: None)
        at_end(x, deps)
        assert one.go_on(never) is None
        assert x.status == "ok"


async def test_a_call_that_is_cancelled_abandons_its_upstream_and_tells_who_waits() -> None:
    waits: Waits = Waits()
    told: list[object] = []
    async with call(sends(waits), answers) as (one, x, deps):
        one.cancel()
        assert not waits.abandoned  # nobody waits for it yet
        one.go_on(lambda: told.append(one.go_on(never)))
        one.cancel()
        one.cancel()
        assert (waits.abandoned, x.status, x.answer) == (True, "cancelled", None)
        (answer,) = told
        assert isinstance(answer, Answer)
        assert b"cancelled" in answer.body
        assert not deps.calls._stepped


async def test_a_session_cancels_a_call_whose_task_has_not_begun() -> None:
    async with call(lambda x, deps: Waits(), answers) as (one, x, deps):
        x.session = Session("s", "2025-11-25", 0, 0)
        assert one.key is not None
        rest = one.go_on(never)
        assert isinstance(rest, Coroutine)
        task = deps.calls.serve(rest)

        assert deps.calls.cancel(one.key)
        assert deps.calls.cancel(one.key)
        await asyncio.wait((task,), timeout=30)

        assert (task.cancelled(), x.status) == (False, "cancelled")  # its caller is there to be told
        assert not deps.calls.cancel(one.key)


async def test_a_task_that_is_cancelled_ends_its_call() -> None:
    async with call(lambda x, deps: Waits(), answers) as (one, x, _):
        task = Tasks("test").spawn("call", one.rest(one.step()))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()
        assert x.status == "cancelled"


async def test_where_a_record_must_be_safe_the_end_waits_for_that() -> None:
    async with call(answers, audit_required=True) as (one, x, deps):
        pending = one.step()
        assert pending is not None
        await asyncio.gather(one.rest(pending), deps.records.flush())
        assert x.answer is not None
