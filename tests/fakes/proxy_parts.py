"""The parts of a proxy worker without its listeners, for tests of one stage or answer: Redis and control are away.

async with proxy_parts(max_body=10) as deps:
    x = exchange(headers={"Origin": "null"})
    admit(x, deps)
"""

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from core.identifiers import new_id
from core.keys import new_key, parse_key_ring
from core.resolve import CallerVerdict, Principal
from core.signing import Signer
from core.snapshot import FORMAT, Gateway, Route, Tool, Visibility
from core.tokens import digest, new_token
from proxy.caches.two_ages import Aged
from proxy.deps import Deps
from proxy.exchange import Exchange, Head
from proxy.gateways.compiled import CompiledGateway
from proxy.settings import ProxySettings
from proxy.worker import Worker

PUBLIC_URL = "http://gw.example:8080"


class Recorded:
    """An outlet that keeps what is sent through it."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.streaming = False
        self.gone = False

    async def send_event(self, message: bytes) -> None:
        self.streaming = True
        self.sent.append(message)

    def keep_alive(self) -> None:
        self.streaming = True
        self.sent.append(b"")


def proxy_settings(**changed: Any) -> ProxySettings:
    values: dict[str, Any] = {
        "redis_url": "redis://127.0.0.1:1/0",
        "control_internal_url": ("http://127.0.0.1:1",),
        "proxy_key": new_key(),
        "verify_keys": Signer(parse_key_ring("signing", new_key())).public_keys,
        "public_url": PUBLIC_URL,
        "proxy_internal_listen": "127.0.0.1:0",
    }
    return ProxySettings(**(values | changed))


@asynccontextmanager
async def proxy_parts(**changed: Any) -> AsyncIterator[Deps]:
    """Parts with these settings; nothing runs in the background."""
    worker = Worker(proxy_settings(**changed))
    try:
        yield worker.deps
    finally:
        await worker.close()


def head(
    headers: Mapping[str, str] | Iterable[tuple[bytes, bytes]] = (),
    *,
    method: str = "POST",
    target: str = "/v1/mcp/g",
    peer: str = "192.0.2.1",
    version: tuple[int, int] = (1, 1),
) -> Head:
    """A head as a lane makes it; a mapping of headers is added to, and replaces, a `Host` of ours."""
    if isinstance(headers, Mapping):
        headers = [(name.encode(), value.encode()) for name, value in ({"Host": "gw.example"} | {**headers}).items()]
    return Head(method, target, version, list(headers), peer)


def exchange(*args: Any, **more: Any) -> Exchange:
    """An exchange that nothing has judged yet; arguments as for `head`."""
    return Exchange(head(*args, **more), Recorded())


def gateway(*tools: Tool, slug: str = "g", visibility: Visibility | None = None, **fields: Any) -> CompiledGateway:
    """A gateway of these tools, seen by everybody unless `visibility` says otherwise."""
    seen_by = visibility or Visibility("organisation")
    return CompiledGateway(Gateway(FORMAT, new_id(), slug, f"The {slug}", 1, seen_by, list(tools), **fields))


def tool(name: str, **fields: Any) -> Tool:
    return Tool(
        name,
        name,
        new_id(),
        {"name": name, "inputSchema": {"type": "object"}},
        Route("remote", new_id(), "srv"),
        **fields,
    )


def hold(deps: Deps, held: CompiledGateway) -> CompiledGateway:
    """Let the worker have this gateway loaded."""
    deps.gateways._by_name.update({held.id: held, held.snapshot.slug: held})
    deps.gateways._documents[held.id] = b"a document"
    return held


def user(**fields: Any) -> Principal:
    return Principal("user", new_id(), "Ada", **fields)


def known_token(
    deps: Deps,
    principal: Principal,
    *,
    expires: float | None = None,
    age: float = 0.0,
    token: str = "",
    for_api: bool = False,
) -> str:
    """A token, this one or a new one, whose verdict the worker remembers since `age` seconds."""
    token = token or new_token()
    verdict = CallerVerdict(digest(token), principal, "token-id", expires)
    if for_api:
        verdict = CallerVerdict(digest(token), None, "token-id", expires, kept_out=principal)
    aged = Aged(verdict, time.monotonic() - age, float("inf") if expires is None else expires)
    deps.authority.verdicts.memory.put(digest(token), aged)
    return token
