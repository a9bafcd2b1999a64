"""Notifications from clients: accepted with 202 and no body, or refused where the protocol knows no such name."""

from core.mcp.message import Notification, valid_id
from core.mcp.methods import CLIENT_NOTIFICATIONS
from core.mcp.versions import Era
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.refusals import Refusal
from proxy.sessions.mailbox import Letter


async def accept_notification(x: Exchange, deps: Deps) -> Answer:
    """202. A cancellation of a legacy session's call is carried out, here or in the worker that has it."""
    message = x.message
    assert isinstance(message, Notification)
    if message.method not in CLIENT_NOTIFICATIONS:
        raise Refusal("notification_unknown")
    if message.method == "notifications/cancelled" and x.era is Era.LEGACY:
        await _cancel(x, deps, message.params.get("requestId"))
    return Answer(202)


async def _cancel(x: Exchange, deps: Deps, request_id: object) -> None:
    call = valid_id(request_id)
    if x.session is None or call is None:
        return
    if not deps.calls.cancel((x.session.jti, call)):
        await deps.mailbox.post(Letter("cancel", x.session.jti, call))
