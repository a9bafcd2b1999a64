"""What a server asks us before it answers a call: a ping, or what the session declares that the caller can.

Called by `call_answers` for each request that comes on the stream of an answer, and by `asides` for those that come
on the stream of the session. The caller is asked in a task of its own, while
the call's stream is read on; the answer goes back as a message beside the call. A modern server may not ask so.
"""

import time
from typing import Final

from core.egress.faults import UpstreamFault
from core.mcp.exact_numbers import Exact
from core.mcp.faults import METHOD_NOT_FOUND
from core.mcp.versions import Era
from core.tasks import Tasks
from proxy.upstream.answers import Json
from proxy.upstream.courtesy import Courtesy
from proxy.upstream.running_call import RunningCall

MAX_ASKED: Final = 16
"""Requests that an upstream may make of us during one call; more is no conversation."""
ASKED_S: Final = 310.0
"""How long a call goes on while its caller is asked; the question itself ends a little earlier."""


class ServersQuestions:
    """Answers what servers ask while they are called."""

    def __init__(self, courtesy: Courtesy, tasks: Tasks) -> None:
        self._courtesy, self._tasks = courtesy, tasks

    def take(self, call: RunningCall, message: Json, method: str) -> None:
        """Answer a request, now or later. Raises UpstreamFault for one that may not be made."""
        request_id, params = message.get("id"), message.get("params")
        call.asked += 1
        if call.era is Era.MODERN or call.asked > MAX_ASKED or not isinstance(request_id, str | int | Exact):
            raise UpstreamFault("broken", sent=True, detail=f"the upstream asked {method[:64]}")
        if method == "ping":
            self._reply(call, request_id, {"result": {}})
        elif not call.outbound.declared:
            error = {"code": METHOD_NOT_FOUND, "message": "This client offers no such method."}
            self._reply(call, request_id, {"error": error})
        else:
            given = params if isinstance(params, dict) else {}
            asked = self._tasks.spawn("question of an upstream", self._asked(call, request_id, method, given))
            call.questions.add(asked)
            asked.add_done_callback(call.questions.discard)

    async def _asked(self, call: RunningCall, request_id: object, method: str, params: Json) -> None:
        """Ask the caller, who has longer for it than a server has for its answer."""
        call.deadline.until = max(call.deadline.until, min(time.monotonic() + ASKED_S, call.latest))
        try:
            answered = await call.beside.ask(method, params)
        finally:
            call.deadline.until = min(time.monotonic() + call.extend, call.latest)
        self._reply(call, request_id, answered)

    def _reply(self, call: RunningCall, request_id: object, answered: Json) -> None:
        message = {"jsonrpc": "2.0", "id": request_id, **answered}
        self._courtesy.post(call.installation, call.headers or {}, message, "answer an upstream")
