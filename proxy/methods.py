"""Every method that a gateway serves, by era, and who answers it: this worker from memory, a server, or several.

`proxy/pipeline.py` looks up here the method of each request; nothing else knows one by its name, but batches, which
refuse `initialize`. The row of a method that a server answers says what chooses the target of a call, and what its
refusals are: results, where a result of the method can say that something went wrong, else JSON-RPC errors.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from core.mcp.faults import METHOD_NOT_FOUND, MessageFault
from core.mcp.message import Request
from core.mcp.methods import (
    COMPLETE,
    LISTEN,
    OF_TASKS,
    PROMPTS_GET,
    PROMPTS_LIST,
    RESOURCES_LIST,
    RESOURCES_READ,
    SUBSCRIBE,
    TEMPLATES_LIST,
    TOOLS_CALL,
    UNSUBSCRIBE,
)
from core.mcp.versions import Era
from core.snapshot import OfferKind
from proxy.answers.from_memory import discover, initialize, list_tools, ping
from proxy.answers.listen import listen
from proxy.answers.log_level import set_log_level
from proxy.answers.offered_lists import list_offered
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.gateways.built_in_tools import SEARCH
from proxy.refusals import RefusedAs
from proxy.stages.apply_limits import apply_limits
from proxy.stages.apply_policy import apply_policy
from proxy.stages.choose_offered import choose_completed, choose_prompt, choose_resource
from proxy.stages.choose_task import choose_task
from proxy.stages.choose_tool import choose_tool
from proxy.stages.resolve_credential import resolve_credential
from proxy.stages.search_tools import choose_search, search_tools
from proxy.stages.subscribe import subscribe, unsubscribe
from proxy.upstream_call import Stage


@dataclass(frozen=True, slots=True)
class FromMemory:
    """A method that this worker answers, and with what."""

    answer: Callable[[Exchange, Deps], Answer]


@dataclass(frozen=True, slots=True)
class AskedFor:
    """A method whose answer somebody else is asked for: Redis, or each server that offers such things."""

    answer: Callable[[Exchange, Deps], Awaitable[Answer]]
    offers: frozenset[OfferKind] = frozenset()
    """As of `FromServer`."""


@dataclass(frozen=True, slots=True)
class FromServer:
    """A method that a server answers: each request is a call, which goes through the stages of `TO_UPSTREAM`."""

    choose: Stage
    """The stage that fills the target."""
    refused_as: RefusedAs
    stages: tuple[Stage, ...] | None = None
    """After the target is chosen; None: those of `pipeline.TO_UPSTREAM`."""
    offers: frozenset[OfferKind] = frozenset()
    """Of which a gateway must have one; none: every gateway has the method."""


Method = FromMemory | AskedFor | FromServer
_PROMPTS: Final[frozenset[OfferKind]] = frozenset({"prompts"})
_RESOURCES: Final[frozenset[OfferKind]] = frozenset({"resources"})
_TOOL: Final = FromServer(choose_tool, refused_as="result")
_SUBSCRIBING: Final = (apply_policy, apply_limits, resolve_credential, subscribe)
_SEARCH: Final = FromServer(choose_search, refused_as="result", stages=(search_tools,))
_OFFERED: Final[dict[str, Method]] = {
    PROMPTS_LIST: AskedFor(list_offered, _PROMPTS),
    RESOURCES_LIST: AskedFor(list_offered, _RESOURCES),
    TEMPLATES_LIST: AskedFor(list_offered, _RESOURCES),
    PROMPTS_GET: FromServer(choose_prompt, "error", offers=_PROMPTS),
    RESOURCES_READ: FromServer(choose_resource, "error", offers=_RESOURCES),
    COMPLETE: FromServer(choose_completed, "error", offers=_PROMPTS | _RESOURCES),
}
"""Of gateways whose servers offer such things."""

LEGACY: Final[dict[str, Method]] = {
    "initialize": FromMemory(initialize),
    "ping": FromMemory(ping),
    "logging/setLevel": AskedFor(set_log_level),
    "tools/list": FromMemory(list_tools),
    TOOLS_CALL: _TOOL,
    SUBSCRIBE: FromServer(choose_resource, "error", stages=_SUBSCRIBING, offers=_RESOURCES),
    UNSUBSCRIBE: AskedFor(unsubscribe, _RESOURCES),
    **_OFFERED,
}
MODERN: Final[dict[str, Method]] = {
    "server/discover": FromMemory(discover),
    LISTEN: AskedFor(listen),
    "tools/list": FromMemory(list_tools),
    TOOLS_CALL: _TOOL,
    **dict.fromkeys(OF_TASKS, FromServer(choose_task, "error")),
    **_OFFERED,
}


def method_of(x: Exchange) -> Method:
    """The row of a request's method; of a call, fills `choose` and `refused_as`.

    Raises MessageFault for a method that is not served in the caller's era: -32601, at 404 for modern callers.
    """
    request, modern = x.message, x.era is Era.MODERN
    assert isinstance(request, Request)
    method = (MODERN if modern else LEGACY).get(request.method)
    if method is None or not _is_there(method, x):
        raise MessageFault(METHOD_NOT_FOUND, "This method is not supported here.", 404 if modern else 200, request.id)
    if method is _TOOL and _searches(x, request):
        method = _SEARCH
    if isinstance(method, FromServer):
        x.choose, x.refused_as, x.stages = method.choose, method.refused_as, method.stages
    return method


def _is_there(method: Method, x: Exchange) -> bool:
    """Whether this gateway has a method of its era: some it has where a server offers what the method is about."""
    assert x.gateway is not None
    return isinstance(method, FromMemory) or not method.offers or any(map(x.gateway.has, method.offers))


def _searches(x: Exchange, request: Request) -> bool:
    """Whether a call is for the tool that finds the others."""
    assert x.gateway is not None
    return x.gateway.searches and request.params.get("name") == SEARCH
