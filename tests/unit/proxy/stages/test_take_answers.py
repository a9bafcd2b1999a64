from __future__ import annotations

from typing import Any

import pytest

from core.mcp.faults import MessageFault
from core.mcp.versions import Era
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.sessions.call_state import CallState, close_state
from proxy.stages.choose_tool import choose_tool
from proxy.stages.take_answers import MOST_ASKED, bound_to
from tests.fakes.call_parts import exchange, gateway, parts, tool


def again(deps: Deps, *, era: Era = Era.MODERN, **params: Any) -> Exchange:
    """A call that is made again after its caller was asked once."""
    x = exchange(gateway([tool(), tool("u")]), era=era, arguments={"n": 1})
    x.request.params |= {"requestState": close_state(deps.settings.key_ring, CallState.of(1), bound_to(x))} | params
    return x


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ({"sign-in": {"action": "accept"}}, 1),
        ({"sign-in": {"action": "decline"}}, MOST_ASKED),
        ({"sign-in": {"action": "cancel"}}, MOST_ASKED),
        ({"of another": {"action": "accept"}, "sign-in": 3}, 1),
        ([], 1),
        (None, 1),
    ],
)
async def test_a_call_that_is_made_again_knows_how_often_its_caller_was_asked(answers: object, asked: int) -> None:
    async with parts() as deps:
        x = again(deps, inputResponses=answers)
        choose_tool(x, deps)
    assert (x.asked, x.target is not None) == (asked, True)


@pytest.mark.parametrize("changed", [{"name": "u"}, {"arguments": {"n": 2}}, {"requestState": "none"}])
async def test_a_state_of_another_call_is_a_wrong_parameter(changed: dict[str, Any]) -> None:
    async with parts() as deps:
        x = again(deps, **changed)
        with pytest.raises(MessageFault) as fault:
            choose_tool(x, deps)
    assert (fault.value.code, fault.value.http_status, fault.value.id) == (-32602, 200, 1)


@pytest.mark.parametrize("answers", [{"name": 3}, {"name": None}, [], "yes"])
@pytest.mark.parametrize("of_server", ["no state", "its state"])
async def test_answers_to_a_server_that_are_no_answers_do_not_reach_it(answers: object, of_server: str) -> None:
    async with parts() as deps:
        x = again(deps, inputResponses=answers, requestState=None)
        if of_server == "its state":
            inside = CallState.of(1, place="i", theirs="s")
            x.request.params["requestState"] = close_state(deps.settings.key_ring, inside, bound_to(x))
        with pytest.raises(MessageFault, match="inputResponses") as fault:
            choose_tool(x, deps)
    assert (fault.value.code, fault.value.http_status, x.retry) == (-32602, 400, None)


async def test_a_client_may_say_that_it_has_no_answers_with_null() -> None:
    async with parts() as deps:
        x = again(deps, inputResponses=None, requestState=None)
        choose_tool(x, deps)
    assert x.retry is not None
    assert x.retry.answers == {}


async def test_a_legacy_call_has_no_state() -> None:
    async with parts() as deps:
        x = again(deps, era=Era.LEGACY, requestState="what a server of its own may mean by it")
        choose_tool(x, deps)
    assert x.asked == 0
