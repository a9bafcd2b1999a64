"""The few public answers: health, readiness, protected-resource metadata and CORS preflights."""

import orjson

from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.refusals import Refusal
from proxy.stages.admit import admit

_PREFIX = "/.well-known/oauth-protected-resource"
_METHODS = "GET, POST, DELETE, OPTIONS"


def health() -> Answer:
    """The process runs."""
    return Answer(200, b'{"status":"ok"}')


def ready(deps: Deps) -> Answer:
    """Whether new connections should come here."""
    if deps.draining or not deps.follows_changes():
        return Answer(503, b'{"status":"not ready"}')
    return Answer(200, b'{"status":"ready"}')


def protected_resource(x: Exchange, deps: Deps) -> Answer:
    """RFC 9728 metadata of one gateway; the same form whether or not there is such a gateway."""
    _judge(x, deps, x.head.target.removeprefix(_PREFIX))
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


def _judge(x: Exchange, deps: Deps, target: str) -> None:
    """Host and headers as for any request; any origin may read public metadata."""
    x.head.raw_headers = [(name, value) for name, value in x.head.raw_headers if name.lower() != b"origin"]
    x.head.target = target
    admit(x, deps)
