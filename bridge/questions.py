"""What the server itself asks a caller for: to fill in a form, its model, its folders.

Over stdio a legacy server does not say for which call it asks. So it is asked for only where exactly one call runs:
that one's caller gets the question on its answer's stream, under a number of ours. Otherwise it is refused: another
caller would see what a call of somebody else is about, and answer it. A modern server may not ask at all.
"""

from dataclasses import dataclass
from typing import Final

from bridge.calls import Call, Calls, Json
from bridge.sessions import Sessions
from core.mcp.faults import METHOD_NOT_FOUND, MessageId, error_message, result_message
from core.mcp.versions import Era

ASKABLE: Final = {
    "elicitation/create": "elicitation",
    "sampling/createMessage": "sampling",
    "roots/list": "roots",
}
DECLARED: Final[dict[str, object]] = {"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}}
"""What the server is told that it may ask for: whether a call's caller can be asked is known only then."""
MOST_OPEN: Final = 64
"""Questions that wait for an answer."""
_NOT_NOW: Final = "Nobody can be asked this now: it must be while one call runs alone, of a caller who can be asked."


@dataclass(frozen=True, slots=True)
class _Open:
    theirs: MessageId
    """The server's own id of it."""
    call: Call


class Questions:
    """The questions of one run of the server that wait for an answer."""

    def __init__(self, calls: Calls, sessions: Sessions) -> None:
        self._calls, self._sessions = calls, sessions
        self._open: dict[MessageId, _Open] = {}

    def asked(self, message: Json, theirs: MessageId, era: Era | None, size: int) -> Json | None:
        """A request of the server, of so many bytes; what it is answered at once, or None where a caller is asked."""
        method = message["method"]
        if method == "ping":
            return result_message(theirs, {})
        call = self._calls.sole() if method in ASKABLE and era is not Era.MODERN else None
        session = None if call is None or call.session_id is None else self._sessions.find(call.session_id)
        can_be = session is not None and ASKABLE[method] in session.capabilities
        if call is None or not can_be or len(self._open) >= MOST_OPEN:
            return error_message(
                theirs, METHOD_NOT_FOUND, _NOT_NOW if method in ASKABLE else "There is no such method."
            )
        ours = f"q{self._calls.next_number()}"
        if not call.tell({**message, "id": ours}, size):
            return error_message(theirs, METHOD_NOT_FOUND, _NOT_NOW)
        self._open[ours] = _Open(theirs, call)
        return None

    def answered(self, session_id: str | None, response_id: MessageId, answer: Json) -> Json | None:
        """A caller's answer as the server gets it; None where it was not asked, or no longer."""
        question = self._open.get(response_id)
        if question is None or question.call.session_id != session_id or question.call.is_over:
            return None
        del self._open[response_id]
        return {"jsonrpc": "2.0", "id": question.theirs, **answer}

    def cancelled(self, theirs: MessageId) -> None:
        """The server does not want an answer any more."""
        for ours, question in list(self._open.items()):
            if question.theirs == theirs:
                del self._open[ours]

    def ended_with(self, call: Call) -> list[Json]:
        """What the server gets for questions of a call that has ended."""
        ended = [(ours, question) for ours, question in self._open.items() if question.call is call]
        for ours, _ in ended:
            del self._open[ours]
        return [error_message(question.theirs, METHOD_NOT_FOUND, "The call has ended.") for _, question in ended]
