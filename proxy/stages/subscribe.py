"""Subscribe a legacy session to a resource, and end that: the stages of `resources/subscribe`, after it is chosen.

The server is asked before the caller is answered, so that a subscription that was accepted is one. News comes on the
session's GET stream, in whichever worker that is (`proxy/subscriptions`).
"""

import orjson

from core.mcp.faults import INVALID_PARAMS, MessageFault, result_message
from proxy.caches.two_ages import SourceUnreachable
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.gateways.stream_news import Subscribed
from proxy.offered.targets import OfferedResource
from proxy.refusals import Refusal, overloaded
from proxy.sessions.sealed import Session


async def subscribe(x: Exchange, deps: Deps) -> None:
    """Fill the answer. Refuses `no_session`, `no_news`, `too_many_subscriptions`, `subscriptions_away`, and with the
    server's error.
    """
    session, target = _session(x, deps), x.target
    assert x.gateway is not None
    assert isinstance(target, OfferedResource)  # it was chosen
    one = Subscribed(str(x.request.params["uri"]), target.assignment_id, target.own)
    try:
        await deps.subscriptions.ask(x.caller, x.gateway, session.jti, one)
    except SourceUnreachable:
        raise Refusal("credential_unavailable", server=target.route.entry) from None
    await deps.subscriptions.keep(session, one)
    answer = _done(x)
    x.status, x.answer, x.bytes_out = "ok", answer, len(answer.body)


async def unsubscribe(x: Exchange, deps: Deps) -> Answer:
    """End a subscription, if there is one. Refuses `no_session` and `subscriptions_away`; raises MessageFault for
    what is no URI.
    """
    session, uri = _session(x, deps), x.request.params.get("uri")
    if not isinstance(uri, str):
        raise MessageFault(INVALID_PARAMS, "params.uri must be a string.", 200, x.request.id)
    await deps.subscriptions.drop(session, uri)
    return _done(x)


def _session(x: Exchange, deps: Deps) -> Session:
    if x.session is None:
        raise Refusal("no_session")
    if not deps.questions.may_send(x.caller.key, len(x.session.jti)):
        raise overloaded()  # every worker reads of it
    return x.session


def _done(x: Exchange) -> Answer:
    return Answer(200, orjson.dumps(result_message(x.request.id, {})))
