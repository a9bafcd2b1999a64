"""`logging/setLevel`: from which level on a legacy session hears what servers log while they serve its calls."""

import logging

import orjson

from core.mcp.faults import INVALID_PARAMS, MessageFault, result_message
from core.mcp.methods import LOG_LEVELS
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.refusals import overloaded
from proxy.sessions.mailbox import Letter

log = logging.getLogger(__name__)


async def set_log_level(x: Exchange, deps: Deps) -> Answer:
    """An empty result, once the level is kept for every worker. Raises MessageFault for an unknown level,
    and Refusal `overloaded` for one that changes too often."""
    level = x.request.params.get("level")
    if level not in LOG_LEVELS:
        levels = ", ".join(LOG_LEVELS)
        raise MessageFault(INVALID_PARAMS, f"params.level must be one of {levels}.", 200, x.request.id)
    if x.session is not None and x.session.log_level != level:
        if not deps.questions.may_send(x.caller.key, len(level)):
            raise overloaded()  # every worker reads of it
        told = await deps.sessions.keep_level(x.session, str(level))
        await deps.mailbox.post(Letter("level", x.session.jti, str(level)))
        if not told:
            log.info("a log level is known here alone, as Redis is away", extra={"request_id": x.request_id})
    return Answer(200, orjson.dumps(result_message(x.request.id, {})))
