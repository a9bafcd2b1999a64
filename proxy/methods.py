"""Every method that a gateway serves, by era, and who answers it: this worker from memory, or a server.

`proxy/pipeline.py` looks up here the method of each request; nothing else knows one by its name, but batches, which
refuse `initialize`. The row of a method that a server answers says what chooses the target of a call, and what its
refusals are: results, where a result of the method can say that something went wrong, else JSON-RPC errors.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from core.mcp.faults import METHOD_NOT_FOUND, MessageFault
from core.mcp.message import Request
from core.mcp.methods import TOOLS_CALL
from core.mcp.versions import Era
from proxy.answers.from_memory import discover, initialize, list_tools, ping
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.refusals import RefusedAs
from proxy.stages.choose_tool import choose_tool
from proxy.upstream_call import Stage


@dataclass(frozen=True, slots=True)
class FromMemory:
    """A method that this worker answers, and with what."""

    answer: Callable[[Exchange, Deps], Answer]


@dataclass(frozen=True, slots=True)
class FromServer:
    """A method that a server answers: each request is a call, which goes through the stages of `TO_UPSTREAM`."""

    choose: Stage
    """The stage that fills the target."""
    refused_as: RefusedAs


Method = FromMemory | FromServer
_TOOL: Final = FromServer(choose_tool, refused_as="result")

LEGACY: Final[dict[str, Method]] = {
    "initialize": FromMemory(initialize),
    "ping": FromMemory(ping),
    "tools/list": FromMemory(list_tools),
    TOOLS_CALL: _TOOL,
}
MODERN: Final[dict[str, Method]] = {
    "server/discover": FromMemory(discover),
    "tools/list": FromMemory(list_tools),
    TOOLS_CALL: _TOOL,
}


def method_of(x: Exchange) -> Method:
    """The row of a request's method; of a call, fills `choose` and `refused_as`.

    Raises MessageFault for a method that is not served in the caller's era: -32601, at 404 for modern callers.
    """
    request, modern = x.message, x.era is Era.MODERN
    assert isinstance(request, Request)
    method = (MODERN if modern else LEGACY).get(request.method)
    if method is None:
        raise MessageFault(METHOD_NOT_FOUND, "This method is not supported here.", 404 if modern else 200, request.id)
    if isinstance(method, FromServer):
        x.choose, x.refused_as = method.choose, method.refused_as
    return method
