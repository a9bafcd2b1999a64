"""A server on loopback that answers each address as a test says, and keeps what it was asked.

async with Answering() as server:
    server.at("/token", {"access_token": "a"})            # JSON; a second value is the status
    server.at("/keys", text("<html>", 200, "text/html"))  # anything else
    server.asked[0].form                                  # what came, in order; 404 for all other addresses
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl

from aiohttp import web

from control.providers.asking import Asker
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress

LOOPBACK = AddressPolicy(parse_networks("127.0.0.0/8"))


@dataclass(frozen=True)
class Said:
    """An answer of the server."""

    body: str
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] | None = None


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """Its body as a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=bool(self.body)))

    @property
    def json(self) -> Any:
        """Its body as JSON."""
        return json.loads(self.body)


def text(body: str, status: int = 200, content_type: str = "text/plain", **headers: str) -> Said:
    """An answer that is no JSON."""
    return Said(body, status, content_type, {name.replace("_", "-"): value for name, value in headers.items()})


class Answering:
    """The server; `url` is its origin."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.url = ""
        self._answers: dict[str, Callable[[Asked], Said]] = {}

    def at(self, path: str, answer: Any, status: int = 200, **headers: str) -> None:
        """What an address answers from now on: JSON, a `Said`, or a function of the request that makes one."""
        if callable(answer):
            self._answers[path] = answer
            return
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        said = answer if isinstance(answer, Said) else Said(json.dumps(answer), status, headers=named)
        self._answers[path] = lambda _: said

    @property
    def paths(self) -> list[str]:
        """The addresses that were asked, in order."""
        return [one.path for one in self.asked]

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, request.path_qs, headers, await request.read())
        self.asked.append(asked)
        answer = self._answers.get(request.path)
        said = answer(asked) if answer else Said("", 404, "text/plain")
        return web.Response(
            text=said.body, status=said.status, content_type=said.content_type, headers=said.headers or {}
        )


@asynccontextmanager
async def loopback_asker() -> AsyncIterator[Asker]:
    """What asks providers, where loopback is open."""
    async with Egress(LOOPBACK) as egress:
        yield Asker(egress, LOOPBACK)
