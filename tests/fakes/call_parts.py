"""A call within an unstarted worker, for unit tests of what stands behind "parse": Redis and control are away.

async with parts() as deps:
    x = exchange(gateway([tool()]), arguments={"n": 1})
    choose_tool(x, deps)
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from core.identifiers import new_id
from core.keys import new_key, parse_key_ring
from core.mcp.message import Request
from core.mcp.versions import Era
from core.resolve import ResolvedInstallation
from core.signing import Signer
from core.snapshot import FORMAT, Gateway, Route, Tool, Visibility
from proxy.deps import Deps
from proxy.exchange import Exchange, Head
from proxy.gateways.compiled import CompiledGateway
from proxy.settings import ProxySettings
from proxy.worker import Worker
from tests.fakes.callers import a_user

NOWHERE = "http://127.0.0.1:1"


class Outlet:
    """The way back to a caller, who reads everything."""

    def __init__(self) -> None:
        self.streaming = False
        self.gone = False
        self.events: list[bytes] = []

    async def send_event(self, message: bytes) -> None:
        self.streaming = True
        self.events.append(message)

    def keep_alive(self) -> None:
        self.streaming = True
        self.events.append(b"")


@asynccontextmanager
async def worker(**settings: Any) -> AsyncIterator[Worker]:
    """A worker that was not started."""
    values: dict[str, Any] = {
        "redis_url": "redis://127.0.0.1:1/0",
        "control_internal_url": (NOWHERE,),
        "proxy_key": new_key(),
        "verify_keys": Signer(parse_key_ring("signing", new_key())).public_keys,
        "public_url": "http://127.0.0.1:8080",
        "upstream_networks": "127.0.0.0/8",
    }
    made = Worker(ProxySettings(**(values | settings)))
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def parts(**settings: Any) -> AsyncIterator[Deps]:
    async with worker(**settings) as made:
        yield replace(made.deps)  # a copy, of which a test may exchange parts


def tool(exposed: str = "t", **fields: Any) -> Tool:
    """A tool; `stdio`, `passthrough`, `per_principal` and `per_credential` are its route's."""
    names = ("stdio", "passthrough", "per_principal", "per_credential")
    route = {name: fields.pop(name) for name in names if name in fields}
    definition = {"name": exposed, "inputSchema": {"type": "object"}} | fields.pop("definition", {})
    upstream = fields.pop("upstream", f"upstream-{exposed}")
    return Tool(exposed, upstream, new_id(), definition, Route("remote", new_id(), "server", **route), **fields)


def gateway(tools: Sequence[Tool] = (), **fields: Any) -> Gateway:
    visibility = fields.pop("visibility", Visibility("organisation"))
    given: dict[str, Any] = {"id": new_id(), "slug": "g", "name": "g", "revision": 1} | fields
    return Gateway(format=FORMAT, visibility=visibility, tools=sorted(tools, key=lambda one: one.exposed), **given)


def installation(url: str = NOWHERE, **fields: Any) -> ResolvedInstallation:
    values: dict[str, Any] = {
        "installation_id": new_id(), "entry_id": new_id(), "entry": "server", "owner": "organisation",
        "kind": "remote", "version": 1,
    }  # fmt: skip
    return ResolvedInstallation(url=url, **(values | fields))


def exchange(
    held: Gateway, *, era: Era = Era.MODERN, meta: dict[str, object] | None = None, **params: Any
) -> Exchange:
    """A tools/call by a user, as it stands once its method was looked up; `params` replace those of a call of `t`."""
    x = Exchange(Head("POST", "/v1/mcp/g", (1, 1), [], "127.0.0.1"), Outlet())
    x.caller = a_user("u")
    x.gateway_name, x.gateway = held.slug, CompiledGateway(held)
    x.message = Request(1, "tools/call", {"name": "t", "arguments": {}} | params, era, meta or {})
    x.era, x.refused_as = era, "result"
    return x
