"""A proxy's internal listener, as far as control's probes go: it checks the call, keeps the question, and answers.

async with ProbingProxy(ring) as proxy:
    proxy.answer = Probe(era="modern", version="2026-07-28", tools=[...])
    ...                                    # ProbeClient(Proxies(egress, [proxy.url], ...))
    assert proxy.questions[0].installation.url == "..."
"""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from typing import Any, Self

import msgspec
from aiohttp import web

from core.clocks import REFUSED_FOR_CLOCK
from core.internal_call import CallRefused, InternalCalls
from core.keys import KeyRing
from core.probes import Probe, ProbeQuestion


class ProbingProxy:
    """Set `answer` (or `status`, `hold`) before the question; read `questions` and `refused` afterwards."""

    def __init__(self, ring: KeyRing) -> None:
        self._calls = InternalCalls(ring, caller="control", answerer="proxy")
        self._runner: web.AppRunner | None = None
        self.answer = Probe(era="legacy", version="2025-11-25")
        self.status = 200
        self.clock_ahead = 0.0
        """By so much its clock is ahead; with another than 0 it refuses all questions for that."""
        self.hold: asyncio.Event | None = None
        self.questions: list[ProbeQuestion] = []
        self.refused = 0
        self.asked = asyncio.Event()
        self.url = ""

    def offers(self, *names: str, **more: Any) -> None:
        """Answer with these tools from now on."""
        tools: list[dict[str, object]] = [
            {"name": name, "description": f"Does {name}.", "inputSchema": {"type": "object"}, **more}
            for name in names
        ]
        self.answer = Probe(era="legacy", version="2025-11-25", server_name="fake", tools=tools)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/internal/probe", self._probe)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *exit_info: object) -> None:
        assert self._runner is not None
        if self.hold is not None:
            self.hold.set()
        await self._runner.cleanup()

    async def _probe(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.clock_ahead:
            date = formatdate(time.time() + self.clock_ahead, usegmt=True)
            return web.Response(status=403, headers={**REFUSED_FOR_CLOCK, "Date": date})
        try:
            call_id = self._calls.check(request.headers.get("Authorization", ""), "POST", request.path, body)
        except CallRefused:
            self.refused += 1
            return web.Response(status=403)
        self.questions.append(msgspec.msgpack.decode(body, type=ProbeQuestion))
        self.asked.set()
        if self.hold is not None:
            await self.hold.wait()
        sealed = self._calls.seal_answer(call_id, msgspec.msgpack.encode(self.answer))
        return web.Response(status=self.status, body=sealed, content_type="application/octet-stream")
