from typing import Any

import pytest

from proxy.sessions.sealed import Session
from proxy.stages.forward import forward
from proxy.upstream.outbound import Outbound
from tests.fakes.call_parts import exchange, gateway, installation, parts, tool


class Sends:
    """Upstreams that send at once, or do not."""

    def __init__(self, sent: object) -> None:
        self.answer = sent
        self.asked: list[tuple[Any, ...]] = []
        self.sent = self

    def begin(self, *given: Any) -> object:
        self.asked.append(given)
        return self.answer


@pytest.mark.parametrize("sent", ["a call that was sent", None])
@pytest.mark.parametrize("jti", ["j", None])
async def test_a_call_goes_on_its_callers_behalf_and_is_waited_for_where_it_was_sent(
    sent: str | None, jti: str | None
) -> None:
    x = exchange(gateway([tool()]))
    x.installation, x.outbound = installation(), Outbound("tools/call", {}, {})
    x.session = Session(jti, "2025-11-25", 0, 0) if jti is not None else None
    async with parts() as deps:
        deps.upstreams = upstreams = Sends(sent)  # type: ignore[assignment]  # what the stage uses
        assert forward(x, deps) == sent
    assert x.sent == sent
    assert upstreams.asked == [(x.installation, x.outbound, "user:u", jti)]
