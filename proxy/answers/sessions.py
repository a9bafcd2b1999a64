"""DELETE: a legacy client ends its session."""

from core.mcp.versions import MODERN
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.refusals import Refusal


async def end_session(x: Exchange, deps: Deps) -> Answer:
    """204; the session is over here at once and in every other worker when the letter arrives. 405 for modern."""
    if x.headers.get("mcp-protocol-version", "").strip() == MODERN:
        raise Refusal("method_not_allowed", method="DELETE")
    if x.session is None:
        raise Refusal("session_missing")
    await deps.endings.end(x.session)
    return Answer(204)
