"""Messages beside a call: they arrive, in tasks of their own, and harm nothing where they do not."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from core.egress.faults import UpstreamFault
from core.tasks import Tasks
from proxy.upstream.courtesy import COURTESY_S, Courtesy
from tests.fakes.call_parts import installation
from tests.fakes.sent_calls import ID, outbound


class Posted:
    """A transport that keeps what is sent, or fails."""

    def __init__(self, fault: UpstreamFault | None = None) -> None:
        self.fault, self.closed = fault, 0
        self.sent: list[tuple[str, dict[str, str], Any, float]] = []

    @asynccontextmanager
    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, deadline: float
    ) -> AsyncIterator["Posted"]:
        if self.fault is not None:
            raise self.fault
        self.sent.append((url, dict(headers), orjson.loads(body), deadline))
        yield self

    def never_reuse(self) -> None:
        self.closed += 1


async def told(transport: Posted) -> None:
    """Tell of a cancellation, and wait until that is over."""
    tasks, headers = Tasks("test"), {"mcp-session-id": "s"}
    courtesy = Courtesy(transport, tasks)  # type: ignore[arg-type]  # what is used of it
    courtesy.tell_cancelled(installation("http://server.example/mcp"), outbound(), headers, "deadline")
    assert transport.sent == []  # nobody waits for it
    headers.clear()  # what is the caller's own stays its own
    await asyncio.sleep(0.01)
    await tasks.close()


async def test_a_cancellation_names_the_request_and_the_reason_in_the_session_of_the_call() -> None:
    transport = Posted()
    await told(transport)
    params = {"requestId": ID, "reason": "deadline"}
    message = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}
    assert transport.sent == [("http://server.example/mcp", {"mcp-session-id": "s"}, message, COURTESY_S)]
    assert transport.closed == 1


async def test_one_that_does_not_arrive_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await told(Posted(UpstreamFault("refused", sent=False, detail="ConnectFailed")))
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "a message beside a call was not delivered")
    ]
