"""The few public answers: health, readiness, protected-resource metadata and CORS preflights.

`PUBLIC` is the whole list of what is answered without a token. Whatever is not in it must authenticate first.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import orjson

from proxy.deps import Deps
from proxy.exchange import Answer, Exchange, Head
from proxy.refusals import Refusal
from proxy.stages.admit import HTTP, admit

RESOURCE_PREFIX: Final = "/.well-known/oauth-protected-resource"
_METHODS = "GET, POST, DELETE, OPTIONS"


def health(_x: Exchange, _deps: Deps) -> Answer:
    """Answer that the process runs. Any Host may ask."""
    return Answer(200, b'{"status":"ok"}')


def ready(_x: Exchange, deps: Deps) -> Answer:
    """Answer whether new connections should come here. Any Host may ask."""
    if deps.draining or not deps.follows_changes():
        return Answer(503, b'{"status":"not ready"}')
    return Answer(200, b'{"status":"ready"}')


def protected_resource(x: Exchange, deps: Deps) -> Answer:
    """RFC 9728 metadata of one gateway; the same form whether or not there is such a gateway."""
    _judge(x, deps, x.head.target.removeprefix(RESOURCE_PREFIX))
    name = x.gateway_name
    base = deps.settings.public_url.rstrip("/")
    document = {
        "resource": f"{base}/v1/mcp/{name}",
        "scopes_supported": ["mcp"],
        "bearer_methods_supported": ["header"],
        "resource_name": name,
    }
    answer = Answer(200, orjson.dumps(document))
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


def cors_preflight(x: Exchange, deps: Deps) -> Answer:
    """A browser asks whether it may; the origin was judged. `Mcp-Param-*` has no wildcard, so its wish is echoed."""
    admit(x, deps)
    if "origin" not in x.headers or "access-control-request-method" not in x.headers:
        raise Refusal("method_not_allowed", method="OPTIONS")
    answer = Answer(204)
    answer.headers["Access-Control-Allow-Methods"] = _METHODS
    answer.headers["Access-Control-Allow-Headers"] = x.headers.get("access-control-request-headers", "")[:1024]
    answer.headers["Access-Control-Max-Age"] = "600"
    return answer


@dataclass(frozen=True, slots=True)
class PublicRoute:
    """One answer that needs no token: for which method, and for which raw target or beginning of one."""

    methods: frozenset[str]
    target: str
    answer: Callable[[Exchange, Deps], Answer]
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
    PublicRoute(frozenset({"GET"}), f"{RESOURCE_PREFIX}/", protected_resource, whole=False),
    PublicRoute(frozenset({"OPTIONS"}), "", cors_preflight, whole=False),
)

_PUBLIC_METHODS: Final = frozenset().union(*(route.methods for route in PUBLIC))


def public_answer(x: Exchange, deps: Deps) -> Answer | None:
    """The answer to a request that needs no token; None where it needs one."""
    if x.head.method not in _PUBLIC_METHODS:
        return None
    for route in PUBLIC:
        if route.takes(x.head):
            return route.answer(x, deps)
    return None


def _judge(x: Exchange, deps: Deps, target: str) -> None:
    """Check host and headers as for any request; any origin may read public metadata."""
    head, headers = x.head, x.head.headers
    raw = [(name, value) for name, value in head.raw_headers if name.lower() != b"origin"]
    if headers is not None:
        headers = {name: value for name, value in headers.items() if name != "origin"}
    # A copy: the lane's head may be another request's too.
    x.head = replace(head, raw_headers=raw, headers=headers, target=target, judged=None)
    admit(x, deps)
