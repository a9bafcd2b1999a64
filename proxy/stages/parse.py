"""Parse: the body becomes one checked message; what the routing headers say must be what the body says.

Under a session id that stands for none, only `initialize` is heard.
"""

from core.mcp.message import Batch, Message, Notification, Request, RoutingHeaders, parse_value
from core.mcp.message import parse as parse_message
from core.mcp.versions import Era
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal

_JSON = "application/json"


def parse(x: Exchange, deps: Deps) -> None:
    """Fill message and era. Raises MessageFault for a wrong message; refuses 415 for another media type, and 404."""
    judged = x.head.judged
    routing = judged.routing if judged is not None else None
    if routing is None:
        routing = _routing(x.headers)
        if judged is not None:
            judged.routing = routing
    if x.session is not None and routing.protocol_version is None:
        # A session says its version where the header is silent.
        routing = RoutingHeaders(x.session.version, routing.method, routing.name)
    x.message = parse_message(x.body, routing) if x.read is None else parse_value(x.read, routing)
    x.read = None
    if x.session_lost and not _opens_another(x.message):
        raise Refusal("session_unknown")
    if isinstance(x.message, Request):
        x.era = x.message.era
        if x.era is Era.MODERN:
            x.session = None
    elif isinstance(x.message, Notification):
        x.era = x.message.era


def _opens_another(message: Message | Batch) -> bool:
    return isinstance(message, Request) and message.era is Era.LEGACY and message.method == "initialize"


def _routing(headers: dict[str, str]) -> RoutingHeaders:
    media_type = headers.get("content-type", "")
    if media_type != _JSON and media_type.partition(";")[0].strip().lower() != _JSON:
        raise Refusal("media_type")
    return RoutingHeaders(headers.get("mcp-protocol-version"), headers.get("mcp-method"), headers.get("mcp-name"))
