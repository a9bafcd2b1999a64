from __future__ import annotations

import asyncio

import pytest

from core.mcp.message import Notification
from core.mcp.versions import Era
from proxy.answers.notifications import accept_notification
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.refusals import Refusal
from proxy.sessions.sealed import Session
from tests.fakes.proxy_parts import exchange

ENDED = Session("jti", "2025-11-25", 0, 0)


def told(method: str, era: Era = Era.LEGACY, session: Session | None = ENDED, **params: object) -> Exchange:
    x = exchange({})
    x.message, x.era, x.session = Notification(method, dict(params), era), era, session
    return x


async def running(deps: Deps, key: tuple[str, str | int]) -> asyncio.Task[None]:
    async def forever() -> None:
        await asyncio.sleep(999)

    waiting = deps.calls._tasks.spawn("test", deps.calls.run(key, forever(), ends_with_caller=True))
    await asyncio.sleep(0)
    return waiting


async def test_a_known_notification_is_accepted_without_a_body(deps: Deps) -> None:
    assert await accept_notification(told("notifications/initialized"), deps) == Answer(202)


async def test_an_unknown_one_is_refused(deps: Deps) -> None:
    with pytest.raises(Refusal, match="notification_unknown"):
        await accept_notification(told("notifications/made-up"), deps)


async def test_a_cancellation_ends_the_sessions_own_call(deps: Deps) -> None:
    call = await running(deps, ("jti", 7))
    await accept_notification(told("notifications/cancelled", requestId=7), deps)
    await asyncio.wait_for(call, 30)


@pytest.mark.parametrize(
    "x",
    [
        told("notifications/cancelled", session=None, requestId=7),
        told("notifications/cancelled", session=Session("another", "2025-11-25", 0, 0), requestId=7),
        told("notifications/cancelled", Era.MODERN, requestId=7),
        told("notifications/cancelled", requestId="7"),
        told("notifications/cancelled", requestId=True),
        told("notifications/cancelled", requestId=None),
    ],
)
async def test_no_other_cancellation_does(deps: Deps, x: Exchange) -> None:
    call = await running(deps, ("jti", 7))
    assert await accept_notification(x, deps) == Answer(202)
    await asyncio.sleep(0)
    assert not call.done()
    deps.calls.cancel(("jti", 7))
    await call
