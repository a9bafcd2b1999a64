"""Links first: a server serves a call only once the caller's person has opened links, and says so with an error.

That is the error -32042 of MCP 2025-11-25. A legacy caller gets the same; a modern one, whose revision has no such
error, gets a question in place of a result and calls again, as it does where a credential of ours is missing. Called
by `receive`. Only links that the caller can be shown are passed on, with who asks before their words.
"""

from collections.abc import Mapping
from typing import Any

from core.identifiers import new_id
from core.mcp.faults import URL_ELICITATION_REQUIRED, MessageFault
from core.mcp.methods import MAY_ASK
from core.mcp.questions import with_who
from core.mcp.versions import Era
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.sessions.call_state import CallState, close_state
from proxy.stages.take_answers import MOST_ASKED, bound_to
from proxy.stages.who_asks import who_asks, why_not_passed_on


def links_first(x: Exchange, deps: Deps, error: Mapping[str, Any], text: str) -> dict[str, object] | None:
    """The result that asks a modern caller; None where this error is none, or cannot be passed on.

    `text`: the server's words, fit to be shown. Raises MessageFault, the error, for a legacy caller.
    """
    assert x.installation is not None
    if error.get("code") != URL_ELICITATION_REQUIRED:
        return None
    asked = _links(error.get("data"))
    if not asked or why_not_passed_on(x, asked, deps.hosts):
        return None
    told = {key: with_who(one, who_asks(x))["params"] for key, one in asked.items()}
    if x.era is Era.LEGACY:
        links = [{"elicitationId": new_id(), **one} for one in told.values() if isinstance(one, dict)]
        words = (
            f"{x.installation.entry} says: {text}" if text else f"{x.installation.entry} asks to open a link first."
        )
        raise MessageFault(URL_ELICITATION_REQUIRED, words, 200, x.request.id, {"elicitations": links})
    if x.asked >= MOST_ASKED or x.request.method not in MAY_ASK:
        return None
    x.asks = True
    return {
        "resultType": "input_required",
        "inputRequests": {
            key: {"method": "elicitation/create", "params": _for_modern(one)} for key, one in told.items()
        },
        "requestState": close_state(deps.settings.key_ring, CallState.of(x.asked + 1), bound_to(x)),
    }


def _links(data: object) -> dict[str, dict[str, object]]:
    """The links as questions, by names of ours; none where one of them is no link."""
    listed = data.get("elicitations") if isinstance(data, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) and one.get("mode") == "url" for one in listed):
        return {}
    kept = ("mode", "elicitationId", "url", "message")
    return {
        f"link-{number}": {
            "method": "elicitation/create",
            "params": {name: one[name] for name in kept if isinstance(one.get(name), str)},
        }
        for number, one in enumerate(listed, 1)
    }


def _for_modern(params: object) -> dict[str, object]:
    """Without the identifier, which modern revisions do not know."""
    assert isinstance(params, dict)
    return {name: value for name, value in params.items() if name != "elicitationId"}
