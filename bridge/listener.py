"""What HTTP callers meet: `/healthz` for everybody, `/mcp` for those who have the server's token.

Only proxies have it, each for the servers that it calls. No header of a caller reaches the server: of a request only
its JSON-RPC message goes on. Composed by `__main__.py`.
"""

import asyncio
import hmac
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from bridge.answering import answer, hear, json_answer, refusal
from bridge.kept_server import KeptServer
from bridge.options import Options
from bridge.other_era import initialize_result, params_for
from bridge.refused import BUSY_NOW, CANCELLED, Refused
from bridge.run import Run
from bridge.sessions import MOST_FOLLOWED, Session
from bridge.strangers import Strangers
from core.bridge_terms import PATH
from core.internal_server import NAMELESS
from core.mcp.faults import INVALID_REQUEST, MessageFault, error_message, result_message
from core.mcp.message import Notification, Request, Response, RoutingHeaders, parse
from core.mcp.methods import LISTEN, SUBSCRIBE, UNSUBSCRIBE
from core.mcp.versions import Era

BODY_S: Final = 30.0
"""For the body of a request to arrive."""
MOST_HELD: Final = 64 << 20
"""Bytes of all bodies whose requests are not answered yet."""
LISTEN_S: Final = 86_400.0
"""For a call that is open to hear of changes; its caller then asks again."""
SESSION: Final = "Mcp-Session-Id"
_LOST: Final = Refused(404, -32001, "Session not found")
_CANCELLED: Final = Refused(200, CANCELLED, "The call was cancelled.")


class Listener:
    """Answers HTTP requests for the one server behind it."""

    def __init__(self, options: Options, server: KeptServer, strangers: Strangers) -> None:
        self._options, self._server, self._strangers = options, server, strangers
        self._bearer = f"Bearer {options.token}".encode()
        self._held = 0
        """Bytes of the bodies of requests that are not answered yet."""

    async def handle(self, http: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        if http.path == "/healthz" and http.method in {"GET", "HEAD"}:
            state = self._server.state
            told = {**state.told(), "calls": self._server.calls, "packages": self._server.packages}
            return json_answer(200 if state.is_ready else 503, told)
        if not self._has_token(http.headers):
            return web.Response(status=401, headers={**NAMELESS, "WWW-Authenticate": "Bearer"})
        self._strangers.forget(http.protocol)
        if http.path != PATH:
            return web.Response(status=404, headers=NAMELESS)
        answers = {"POST": self._post, "GET": self._get, "DELETE": self._delete}
        method = answers.get(http.method)
        if method is None:
            return _not_allowed()
        try:
            answered = await method(http)
        except Refused as refused:
            answered = refusal(refused, None)
        if self._server.is_stopping and not answered.prepared:
            answered.force_close()  # its caller's next call is for another bridge
        return answered

    def _has_token(self, headers: Mapping[str, str]) -> bool:
        given = headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, self._bearer)

    async def _post(self, http: web.BaseRequest) -> web.StreamResponse:
        length = self._options.max_body if http.content_length is None else http.content_length
        if self._held and self._held + length > MOST_HELD:
            raise BUSY_NOW
        self._held += length
        try:
            return await self._posted(http)
        finally:
            self._held -= length

    async def _posted(self, http: web.BaseRequest) -> web.StreamResponse:
        try:
            async with asyncio.timeout(BODY_S):
                body = await http.read()
        except web.HTTPRequestEntityTooLarge:
            most = self._options.max_body
            return json_answer(413, error_message(None, INVALID_REQUEST, f"The body is longer than {most} bytes."))
        except TimeoutError:
            return web.Response(status=408, headers=NAMELESS)
        headers = http.headers
        routing = RoutingHeaders(*(headers.get(name) for name in ("MCP-Protocol-Version", "Mcp-Method", "Mcp-Name")))
        try:
            message = parse(body, routing)
        except MessageFault as fault:
            return json_answer(fault.http_status, fault.body())
        if isinstance(message, Request):
            try:
                return await self._request(http, message)
            except Refused as refused:
                return refusal(refused, message)
        run = self._server.run_now()
        session = _session_of(http, run)
        if isinstance(message, Notification):
            _notified(run, session, message)
        elif isinstance(message, Response):
            told = {"result": message.result} if message.error is None else {"error": message.error}
            answered = run.questions.answered(None if session is None else session.id, message.id, told)
            if answered is not None:
                run.send(answered)
        else:
            return json_answer(400, error_message(None, INVALID_REQUEST, "Batches are not taken; send one message."))
        return web.Response(status=202, headers=NAMELESS)

    async def _request(self, http: web.BaseRequest, asked: Request) -> web.StreamResponse:
        run = await self._server.run_soon()
        assert run.era is not None  # it is let through once it is known
        if asked.method == "initialize" and asked.era is Era.LEGACY:
            return _initialized(run, asked)
        session = _session_of(http, run) if asked.era is Era.LEGACY else None
        if asked.method == "ping" and run.era is Era.MODERN and asked.era is Era.LEGACY:
            return json_answer(200, result_message(asked.id, {}))
        uri = asked.params.get("uri")
        if asked.method == UNSUBSCRIBE and session is not None and isinstance(uri, str):
            session.followed.discard(uri)
            if run.sessions.follows(uri):
                return json_answer(200, result_message(asked.id, {}))
        if asked.method == SUBSCRIBE and session is not None and isinstance(uri, str):
            if len(session.followed) >= MOST_FOLLOWED:
                raise Refused(200, INVALID_REQUEST, f"A session follows at most {MOST_FOLLOWED} resources.")
            session.followed.add(uri)
        call = run.ask(asked.method, params_for(asked, run.era), asked.id, session)
        try:
            within_s = LISTEN_S if asked.method == LISTEN else self._options.call_s
            return await answer(http, asked, call, run, within_s)
        finally:
            run.leave(call, "nobody waits for it any more")
            if call.refused is not None and call.refused.status == 504:
                self._server.doubt(run)

    async def _get(self, http: web.BaseRequest) -> web.StreamResponse:
        run = self._server.run_now()
        session = _session_of(http, run)
        if session is None or run.era is Era.MODERN:
            return _not_allowed()
        ear = session.listen()
        try:
            return await hear(http, ear)
        finally:
            session.stop_listening(ear)

    async def _delete(self, http: web.BaseRequest) -> web.StreamResponse:
        run = self._server.run_now()
        session = _session_of(http, run)
        if session is None:
            return _not_allowed()
        _ = run.sessions.end(session.id)
        _unfollow(run, session)
        return web.Response(status=200, headers=NAMELESS)


def _initialized(run: Run, asked: Request) -> web.Response:
    """`initialize` is answered by what the server said when it was greeted: it takes one in its life."""
    declared = asked.params.get("capabilities")
    session, forgotten = run.sessions.open(declared if isinstance(declared, dict) else {})
    for one in forgotten:
        _unfollow(run, one)
    modern = run.era is Era.MODERN
    result = initialize_result(asked.params.get("protocolVersion"), run.hello) if modern else run.hello
    return json_answer(200, result_message(asked.id, result), {SESSION: session.id})


def _session_of(http: web.BaseRequest, run: Run) -> Session | None:
    """The session that the request names, None for none. Raises Refused for one that is not known."""
    identifier = http.headers.get(SESSION)
    if identifier is None:
        return None
    session = run.sessions.find(identifier)
    if session is None:
        raise _LOST
    return session


def _notified(run: Run, session: Session | None, told: Notification) -> None:
    """A caller's notification. One is for the server: that an answer is not wanted any more."""
    if told.method != "notifications/cancelled" or told.era is Era.MODERN:
        return
    for call in run.calls:
        if call.id == told.params.get("requestId") and call.session_id == (session.id if session else None):
            run.leave(call, "cancelled by its caller")
            call.refuse(_CANCELLED)


def _unfollow(run: Run, session: Session) -> None:
    """What only a session that has ended followed is followed no longer."""
    for uri in session.followed:
        if not run.sessions.follows(uri):
            run.tell_only(UNSUBSCRIBE, {"uri": uri})


def _not_allowed() -> web.Response:
    return web.Response(status=405, headers={**NAMELESS, "Allow": "POST"})
