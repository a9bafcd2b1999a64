"""Calls that are sent at once to a scripted server: what to send, to whom, and waiting for their answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson

from core.egress.addresses import AddressPolicy, parse_networks
from core.mcp.versions import MODERN
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.upstream.conversation import Upstreams
from proxy.upstream.eras import Eras
from proxy.upstream.outbound import Outbound
from proxy.upstream.sent_call import SentCall
from proxy.upstream.transport import open_transport
from tests.fakes.call_parts import installation
from tests.fakes.scripted_upstream import Script, ScriptedUpstream, ok

ID = 7
RESULT = {"jsonrpc": "2.0", "id": ID, "result": {"content": []}}
JSON = b"Content-Type: application/json"
FINE = ok(orjson.dumps(RESULT), JSON)


def outbound() -> Outbound:
    return Outbound("tools/call", {"name": "t", "arguments": {}}, {}, id=ID)


@asynccontextmanager
async def upstreams(*scripts: Script, pool: bool = True) -> AsyncIterator[tuple[Upstreams, ResolvedInstallation]]:
    """Upstreams that have had one answer, so that a connection to the server is at hand."""
    tasks = Tasks("test")
    transport = open_transport(AddressPolicy(parse_networks("127.0.0.0/8")), pool=pool)
    eras = Eras(transport, tasks)
    made = Upstreams(
        transport, eras, None, tasks, to_listen=transport, list_news=None,  # type: ignore[arg-type]  # no sessions
        call_seconds=60, ceiling_seconds=100, max_answer=1000,
    )  # fmt: skip
    async with ScriptedUpstream([FINE], *scripts) as server:
        to = installation(f"{server.url}/mcp", protocol=MODERN)
        async with asyncio.timeout(90):
            yield made, to
    await transport.close()
    await tasks.close()


async def met(made: Upstreams, to: ResolvedInstallation) -> None:
    async with made._transport.request("POST", to.url, {}, b"{}", deadline=60) as answer:  # type: ignore[arg-type]  # as it stands
        await answer.read_capped(1000)


async def ready(sent: SentCall | None) -> SentCall:
    assert sent is not None
    told = asyncio.Event()
    sent.then(told.set)
    assert not told.is_set()
    await told.wait()
    return sent
