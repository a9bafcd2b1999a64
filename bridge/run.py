"""The conversation with one run of the server: calls under numbers of ours, and what the server says to whom.

`greeting.py` opens it, `listener.py` sends callers' messages through it, `child_process.py` hands it the lines. What
no caller can be told to be meant with is told to nobody.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

import orjson

from bridge.calls import Call, Calls, TooManyCalls
from bridge.child_process import InputFull
from bridge.lines import TooLong
from bridge.printed import Printed
from bridge.questions import Questions
from bridge.refused import BUSY_NOW, ENDED_MEANWHILE, UNREAD, Refused, too_large
from bridge.sessions import Session, Sessions
from core.mcp.answer_json import read
from core.mcp.faults import MessageId
from core.mcp.message import valid_id
from core.mcp.methods import LIST_CHANGED, LISTEN, LOG_MESSAGE, META_SUBSCRIPTION, PROGRESS, RESOURCE_UPDATED
from core.mcp.versions import Era

log = logging.getLogger(__name__)
Json = dict[str, Any]
_TO_ALL: Final = frozenset({*LIST_CHANGED, RESOURCE_UPDATED})


class Run:
    """One run of the server, from its first message to its last."""

    def __init__(self, send: Callable[[bytes], None], printed: Printed, most_calls: int, most_line: int) -> None:
        self._send_line, self._printed, self._most_line = send, printed, most_line
        self.calls = Calls(most_calls)
        self.sessions = Sessions()
        self.questions = Questions(self.calls, self.sessions)
        self.era: Era | None = None
        """Which family of revisions the server speaks; None before it has answered."""
        self.hello: Json = {}
        """What it said of itself: the result of `initialize`, or of `server/discover`."""
        self.is_over = False

    # What is sent.

    def send(self, message: Json) -> None:
        """Send a message. Raises Refused where the server does not read its input."""
        try:
            self._send_line(orjson.dumps(message))
        except InputFull:
            raise UNREAD from None

    def ask(self, method: str, params: Json, request_id: MessageId, session: Session | None = None) -> Call:
        """Send a call; `params` is changed. Raises Refused."""
        if self.is_over:
            raise ENDED_MEANWHILE
        meta = params.get("_meta")
        token = meta.get("progressToken") if isinstance(meta, dict) else None
        try:
            call = self.calls.begin(request_id, None if session is None else session.id, token)
        except TooManyCalls:
            raise BUSY_NOW from None
        call.listens = method == LISTEN
        if isinstance(meta, dict) and token is not None:
            params["_meta"] = {**meta, "progressToken": call.number}
        try:
            self.send({"jsonrpc": "2.0", "id": call.number, "method": method, "params": params})
        except Refused:
            _ = self.calls.answered(call.number)
            raise
        return call

    def leave(self, call: Call, why: str) -> None:
        """Nobody waits for this call any more; the server is told where it was not answered."""
        if not self.calls.leave(call) or self.is_over:
            return
        cancelled: Json = {"requestId": call.number, "reason": why}
        try:
            for ended in self.questions.ended_with(call):
                self.send(ended)
            self.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled})
        except Refused:
            log.info("a call was not cancelled: the server does not read its input")

    def tell_only(self, method: str, params: Json) -> None:
        """Send a request whose answer nobody wants. Raises Refused."""
        self.send({"jsonrpc": "2.0", "id": self.calls.next_number(), "method": method, "params": params})

    # What is heard.

    def take(self, line: bytes | TooLong) -> None:
        """A line that the server printed."""
        if isinstance(line, TooLong):
            self._take_too_long(line)
            return
        try:
            message = read(line) if line.strip() else None
        except ValueError:
            message = None
        # A server of 2025-03-26 may say several at once.
        messages = message if isinstance(message, list) and message else [message]
        for one in messages:
            if not isinstance(one, dict) or one.get("jsonrpc") != "2.0" or not self._understood(one, len(line)):
                self._printed.no_message(line, "what is no message")
                return

    def end(self, refused: Refused = ENDED_MEANWHILE) -> None:
        """The server has ended: so do its calls and sessions."""
        self.is_over = True
        for call in self.calls:
            _ = self.calls.answered(call.number)
            call.refuse(refused)
        self.sessions.end_all()

    def _understood(self, message: Json, size: int) -> bool:
        method = message.get("method")
        if isinstance(method, str):
            if "id" not in message:
                self._notified(message, method, size)
                return True
            theirs = valid_id(message["id"])
            if theirs is not None:
                self._asked(message, theirs, size)
            return theirs is not None
        number = _number(message.get("id"))
        if number is None or not (isinstance(message.get("result"), dict) or isinstance(message.get("error"), dict)):
            return False
        self._answered(number, message)
        return True

    def _answered(self, number: int, message: Json) -> None:
        call = self.calls.answered(number)
        if call is None:
            log.info("the server answered what nobody waits for", extra={"number": number})
            return
        for ended in self.questions.ended_with(call):
            self._send_if_it_reads(ended)
        call.end(_in_callers_words({**message, "id": call.id}, "result", call))

    def _asked(self, message: Json, theirs: MessageId, size: int) -> None:
        answer = self.questions.asked(message, theirs, self.era, size)
        if answer is not None:
            self._send_if_it_reads(answer)

    def _notified(self, message: Json, method: str, size: int) -> None:
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        meta = params.get("_meta")
        subscription = meta.get(META_SUBSCRIPTION) if isinstance(meta, dict) else None
        if subscription is not None:
            call = self.calls.of(_number(subscription))
            if call is not None:
                _ = call.tell(_in_callers_words(message, "params", call), size)
        elif method == PROGRESS:
            call = self.calls.of(_number(params.get("progressToken")))
            if call is not None and call.token is not None:
                _ = call.tell({**message, "params": {**params, "progressToken": call.token}}, size)
        elif method == LOG_MESSAGE:
            call = self.calls.sole()
            if call is not None:
                _ = call.tell(message, size)
        elif method in _TO_ALL:
            self.sessions.tell(message)
        elif method == "notifications/cancelled" and (theirs := valid_id(params.get("requestId"))) is not None:
            self.questions.cancelled(theirs)

    def _take_too_long(self, line: TooLong) -> None:
        self._printed.no_message(line, "a line that is too long")
        number = line.number()
        call = None if number is None else self.calls.answered(number)
        if call is not None:
            call.refuse(too_large(line.size, self._most_line))

    def _send_if_it_reads(self, message: Json) -> None:
        try:
            self.send(message)
        except Refused:
            log.info("an answer to the server was left out: it does not read its input")


def _number(value: object) -> int | None:
    """A number of ours, which some servers say as a string."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _in_callers_words(message: Json, member: str, call: Call) -> Json:
    """The message with the caller's own id for the subscription in `_meta` of its result, or of its parameters."""
    inner = message.get(member)
    meta = inner.get("_meta") if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or not isinstance(meta, dict) or META_SUBSCRIPTION not in meta:
        return message
    return {**message, member: {**inner, "_meta": {**meta, META_SUBSCRIPTION: call.id}}}
