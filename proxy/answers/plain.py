"""The few public answers: health, readiness, where to sign in, and CORS preflights.

`PUBLIC` is the whole list of what is answered without a token. Whatever is not in it must authenticate first, or is
passed on to control (`proxy/edge/passing_on.py`).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from proxy.answers.protected_resource import judge_for_anybody, protected_resource
from proxy.answers.sign_in_steps import METADATA_PATH
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange, Head
from proxy.refusals import Refusal
from proxy.stages.admit import HTTP, admit

_METHODS = "GET, POST, DELETE, OPTIONS"


def health(_x: Exchange, _deps: Deps) -> Answer:
    """Answer that the process runs. Any Host may ask."""
    return Answer(200, b'{"status":"ok"}')


def ready(_x: Exchange, deps: Deps) -> Answer:
    """Answer whether new connections should come here. Any Host may ask."""
    if deps.draining or not deps.follows_changes():
        return Answer(503, b'{"status":"not ready"}')
    return Answer(200, b'{"status":"ready"}')


def cors_preflight(x: Exchange, deps: Deps) -> Answer:
    """A browser asks whether it may; the origin was judged. `Mcp-Param-*` has no wildcard, so its wish is echoed."""
    admit(x, deps)
    if "origin" not in x.headers:
        raise Refusal("method_not_allowed", method="OPTIONS")
    return _preflight(x, _METHODS)


def metadata_preflight(x: Exchange, deps: Deps) -> Answer:
    """A browser asks whether it may read where to sign in: clients send a header with that which needs a question."""
    judge_for_anybody(x, deps)
    answer = _preflight(x, "GET")
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


def _preflight(x: Exchange, methods: str) -> Answer:
    if "access-control-request-method" not in x.headers:
        raise Refusal("method_not_allowed", method="OPTIONS")
    answer = Answer(204)
    answer.headers["Access-Control-Allow-Methods"] = methods
    answer.headers["Access-Control-Allow-Headers"] = x.headers.get("access-control-request-headers", "")[:1024]
    answer.headers["Access-Control-Max-Age"] = "600"
    return answer


@dataclass(frozen=True, slots=True)
class PublicRoute:
    """One answer that needs no token: for which method, and for which raw target or beginning of one."""

    methods: frozenset[str]
    target: str
    answer: Callable[[Exchange, Deps], Answer | Awaitable[Answer]]
    whole: bool = True
    """Whether the target must be the whole of it."""

    def takes(self, head: Head) -> bool:
        """Whether this route answers the request."""
        if head.method not in self.methods or head.version not in HTTP:
            return False
        return head.target == self.target if self.whole else head.target.startswith(self.target)


PUBLIC: Final = (
    PublicRoute(frozenset({"GET", "HEAD"}), "/health", health),
    PublicRoute(frozenset({"GET", "HEAD"}), "/ready", ready),
    PublicRoute(frozenset({"GET"}), f"{METADATA_PATH}/", protected_resource, whole=False),
    PublicRoute(frozenset({"OPTIONS"}), f"{METADATA_PATH}/", metadata_preflight, whole=False),
    PublicRoute(frozenset({"OPTIONS"}), "", cors_preflight, whole=False),
)

_PUBLIC_METHODS: Final = frozenset().union(*(route.methods for route in PUBLIC))


def public_answer(x: Exchange, deps: Deps) -> Answer | Awaitable[Answer] | None:
    """The answer to a request that needs no token, or what to wait for it; None where it needs one."""
    if x.head.method not in _PUBLIC_METHODS:
        return None
    for route in PUBLIC:
        if route.takes(x.head):
            return route.answer(x, deps)
    return None
