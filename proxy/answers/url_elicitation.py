"""A missing credential as a question: a client that can show a link to its person gets it as one, not as text.

Both eras know it (URL mode of elicitation): a modern client gets a result that asks, and calls again; a legacy one
gets the error -32042. Everybody else is told in words, by `refused.py`, which asks here first. Nothing secret passes:
the person gives the credential on the page behind the link, which makes sure that it is the one who called.
"""

from typing import Final

import orjson

from core.identifiers import new_id
from core.mcp.faults import URL_ELICITATION_REQUIRED, error_message, result_message
from core.mcp.methods import MAY_ASK, META_CLIENT_CAPABILITIES
from core.mcp.shapes import META_REFUSAL, META_SERVER_INFO
from core.mcp.versions import LATEST_LEGACY, Era
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.our_name import server_info
from proxy.refusals import Refusal
from proxy.sessions.call_state import CallState, close_state
from proxy.sessions.client_capabilities import URL_ELICITATION
from proxy.stages.take_answers import MOST_ASKED, bound_to

_CURED_THERE: Final = frozenset({"credential_missing", "needs_sign_in"})
"""Refusals that end when the person has done what the page behind the link asks for."""
_KEY: Final = "sign-in"


def question_of(x: Exchange, refusal: Refusal, details: dict[str, object], deps: Deps) -> Answer | None:
    """The refusal as a question; None where it is none, or where this client cannot show it.

    `details`: what programs are told of the refusal in any case.
    """
    if refusal.reason not in _CURED_THERE or not refusal.link.startswith(("https://", "http://")):
        return None
    if x.era is Era.LEGACY:
        return _as_error(x, refusal, details) if _legacy_can(x) else None
    if x.asked >= MOST_ASKED or x.request.method not in MAY_ASK or not _modern_can(x):
        return None
    return _as_result(x, refusal, details, deps)


def _legacy_can(x: Exchange) -> bool:
    """Only the newest legacy revision has it, and only a session knows what its client can."""
    session = x.session
    return session is not None and session.version == LATEST_LEGACY and bool(session.capabilities & URL_ELICITATION)


def _modern_can(x: Exchange) -> bool:
    declared = x.request.meta.get(META_CLIENT_CAPABILITIES)
    elicitation = declared.get("elicitation") if isinstance(declared, dict) else None
    return isinstance(elicitation, dict) and isinstance(elicitation.get("url"), dict)


def _as_error(x: Exchange, refusal: Refusal, details: dict[str, object]) -> Answer:
    asked = {"mode": "url", "elicitationId": new_id(), "url": refusal.link, "message": refusal.sentence}
    data = {**details, "elicitations": [asked]}
    return Answer(200, orjson.dumps(error_message(x.request.id, URL_ELICITATION_REQUIRED, refusal.sentence, data)))


def _as_result(x: Exchange, refusal: Refusal, details: dict[str, object], deps: Deps) -> Answer:
    assert x.gateway is not None
    asked = {"mode": "url", "url": refusal.link, "message": refusal.sentence}
    result: dict[str, object] = {
        "resultType": "input_required",
        "inputRequests": {_KEY: {"method": "elicitation/create", "params": asked}},
        "requestState": close_state(deps.settings.key_ring, CallState.of(x.asked + 1), bound_to(x)),
        "_meta": {META_SERVER_INFO: server_info(x.gateway.snapshot.name), META_REFUSAL: details},
    }
    return Answer(200, orjson.dumps(result_message(x.request.id, result)))
