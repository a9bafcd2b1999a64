"""One call to one upstream, from the first byte sent to the one message that answers it.

For the stage `receive`, where more than one whole message is to be waited for: `Upstreams.call` from the beginning,
`Upstreams.go_on` from the answer to a call that was sent at once (`sent_call.py`, the warm path). What differs
between the eras is how a call is opened and how it is cancelled: on a modern upstream by leaving the stream, on a
legacy one by telling it. A call is sent again by itself only where the upstream said that it did not know the session
(404): then it has not run.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson

from core.egress.addresses import PublicUrl
from core.egress.faults import UpstreamFault
from core.mcp.faults import METHOD_NOT_FOUND, error_message
from core.mcp.versions import Era
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.refusals import Refusal
from proxy.upstream.answers import (
    Json,
    is_answer_to,
    is_stream,
    is_success,
    messages,
    no_answer,
    whole_answer,
)
from proxy.upstream.courtesy import Courtesy
from proxy.upstream.deadlines import Deadline, Deadlines
from proxy.upstream.eras import Eras
from proxy.upstream.health import Health
from proxy.upstream.outbound import Outbound
from proxy.upstream.sent_call import SentCall, SentCalls
from proxy.upstream.sessions import UpstreamSession, UpstreamSessions
from proxy.upstream.transport import Transport, UpstreamAnswer
from proxy.upstream.unsuccessful import Unsuccessful, read_unsuccessful

OnProgress = Callable[[Json], Awaitable[None]]
_MAX_ASKED = 16
"""Requests that an upstream may make of us during one call; more is no conversation."""


@dataclass(frozen=True, slots=True)
class Owner:
    """On whose behalf the upstream is called; decides which session may be used."""

    principal_key: str
    session_jti: str | None = None


@dataclass(slots=True)
class _Call:
    """What the parts of one call of an upstream share."""

    installation: ResolvedInstallation
    outbound: Outbound
    on_progress: OnProgress
    deadline: Deadline
    extend: float
    """Seconds that the call has from each message of progress on."""
    latest: float
    """Monotonic time beyond which no progress helps."""
    asked: int = 0
    headers: dict[str, str] | None = None
    """Headers of the request once sent, for what must follow it."""
    era: Era = Era.MODERN


class Upstreams:
    """Calls upstreams, whatever must be waited for: an era, a session, progress, an answer."""

    def __init__(
        self,
        transport: Transport,
        eras: Eras,
        sessions: UpstreamSessions,
        tasks: Tasks,
        *,
        call_seconds: float,
        ceiling_seconds: float,
        max_answer: int,
    ) -> None:
        self.sessions = sessions
        self._deadlines = Deadlines(seconds=call_seconds, ceiling=ceiling_seconds)
        self.health = Health(eras, self._deadlines, max_answer=max_answer)
        self._courtesy = Courtesy(transport, tasks)
        self._transport, self._max_answer = transport, max_answer
        self.sent = SentCalls(self.health, sessions, transport, self._courtesy, self._deadlines, most=max_answer)
        """Calls that need nobody to wait: the warm path."""

    async def call(
        self, installation: ResolvedInstallation, outbound: Outbound, owner: Owner, on_progress: OnProgress
    ) -> Json:
        """The upstream's final message. Raises Refusal with a reason of the `upstream_` family."""
        if not self.health.breakers.admits(installation.installation_id):
            raise Refusal("upstream_resting", server=installation.entry)
        call = self._new(installation, outbound, on_progress)
        return await self.health.guarded(installation, self._timed(call, self._in_its_era(call, owner)))

    async def go_on(self, sent: SentCall, owner: Owner, on_progress: OnProgress) -> Json:
        """As `call`, for one that was sent, and whose answer is more than one whole message."""
        call = self._new(sent.installation, sent.outbound, on_progress, sent.until)
        return await self.health.guarded(sent.installation, self._timed(call, self._rest(call, sent, owner)))

    def _new(
        self, installation: ResolvedInstallation, outbound: Outbound, on_progress: OnProgress, until: float = 0.0
    ) -> _Call:
        deadlines = self._deadlines
        deadline = deadlines.limit(until or deadlines.until(installation))
        latest = deadlines.latest(installation, deadline.until)
        return _Call(installation, outbound, on_progress, deadline, deadlines.seconds_for(installation), latest)

    async def _timed(self, call: _Call, work: Awaitable[Json]) -> Json:
        try:
            with call.deadline:
                return await work
        except TimeoutError:
            self._call_off(call, "deadline")
            seconds = self._deadlines.told_for(call.installation, ended_by_ceiling=call.deadline.until >= call.latest)
            raise UpstreamFault("slow", sent=True, detail=f"no answer within {seconds:g} s", figure=seconds) from None
        except asyncio.CancelledError:
            self._call_off(call, "cancelled by the caller")
            raise

    async def _rest(self, call: _Call, sent: SentCall, owner: Owner) -> Json:
        """From an answer that has begun, or from the start again where the upstream no longer knew the session."""
        session = sent.session
        call.era = Era.MODERN if session is None else Era.LEGACY
        call.headers = {} if session is None else sent.outbound.legacy(session.version, session.id)[1]
        try:
            received = await self._read(call, sent.answer, session)
        except BaseException as error:
            sent.answer.settle(sound=False)
            if session is None or not isinstance(error, _SessionLost):
                raise
            key = self.sessions.key(call.installation, owner.principal_key, owner.session_jti)
            await self.sessions.lost(key, session)
            return await self._in_its_era(call, owner)
        sent.answer.settle(sound=True)
        self.health.answered(call.installation, received)
        return received

    async def _in_its_era(self, call: _Call, owner: Owner) -> Json:
        era = self.health.eras.known(call.installation)
        if era is None:
            era = (await self.health.eras.find(call.installation)).era
        if era is Era.LEGACY:
            try:
                return await self._legacy(call, owner)
            except Refusal as refusal:
                if refusal.reason != "upstream_era" or not await self._became_modern(call.installation):
                    raise
        return await self._modern(call)

    async def _became_modern(self, installation: ResolvedInstallation) -> bool:
        """A server that refuses `initialize` for its version may have been replaced by a modern one."""
        self.health.eras.forget(installation)
        return (
            self.health.eras.known(installation) is None
            and (await self.health.eras.find(installation)).era is Era.MODERN
        )

    async def _modern(self, call: _Call) -> Json:
        call.era = Era.MODERN
        message, headers = call.outbound.modern()
        answer = await self._send(call, message, headers, None)
        self.health.answered(call.installation, answer)
        return answer

    async def _legacy(self, call: _Call, owner: Owner) -> Json:
        call.era = Era.LEGACY
        key = self.sessions.key(call.installation, owner.principal_key, owner.session_jti)
        unsuccessful = Unsuccessful(404)
        for _ in range(2):
            session = self.sessions.known(key) or await self.sessions.open(key, call.installation)
            message, headers = call.outbound.legacy(session.version, session.id)
            try:
                return await self._send(call, message, headers, session)
            except _SessionLost as lost:
                await self.sessions.lost(key, session)
                unsuccessful = lost.unsuccessful
        return self._told(call, unsuccessful)  # of a session that was new: it is not the session

    async def _send(
        self, call: _Call, message: Json, headers: dict[str, str], session: UpstreamSession | None
    ) -> Json:
        url = PublicUrl(call.installation.url)
        call.headers = headers
        # The call's own deadline keeps the time, so that a legacy server is told when it strikes.
        async with self._transport.request("POST", url, headers, orjson.dumps(message)) as response:
            return await self._read(call, response, session)

    async def _read(self, call: _Call, response: UpstreamAnswer, session: UpstreamSession | None) -> Json:
        if not is_success(response.status):
            return await self._unsuccessful(call, response, session)
        if is_stream(response):
            return await self._from_stream(call, response)
        received = await whole_answer(response, call.outbound.id, cap_bytes=self._max_answer)
        call.headers = None  # answered: nothing to cancel any more
        return received

    async def _from_stream(self, call: _Call, response: UpstreamAnswer) -> Json:
        async for received in messages(response, cap_bytes=self._max_answer):
            if is_answer_to(received, call.outbound.id):
                call.headers = None
                return received
            await self._beside_the_answer(call, received)
        raise no_answer()

    async def _unsuccessful(self, call: _Call, response: UpstreamAnswer, session: UpstreamSession | None) -> Json:
        call.headers = None
        status, unsuccessful = response.status, await read_unsuccessful(response)
        if status == 404 and session is not None and session.id is not None:
            raise _SessionLost(unsuccessful)
        if 400 <= status < 500 and status not in {401, 403}:
            self.health.eras.forget(call.installation)  # it may have been replaced by a server of the other era
        return self._told(call, unsuccessful)

    def _told(self, call: _Call, unsuccessful: Unsuccessful) -> Json:
        """The JSON-RPC error of an answer without success as the call's answer; else a refusal."""
        if unsuccessful.error is None or unsuccessful.status < 400 or unsuccessful.status in {401, 403}:
            raise unsuccessful.refusal(call.installation, call.outbound.method)
        return {"jsonrpc": "2.0", "id": call.outbound.id, "error": unsuccessful.error}

    async def _beside_the_answer(self, call: _Call, message: Json) -> None:
        """A notification or a request that came before the answer; what is not known here is dropped."""
        method, params = message.get("method"), message.get("params")
        if "id" in message and isinstance(method, str):
            self._answer_question(call, message, method)
            return
        if method != "notifications/progress" or not isinstance(params, dict):
            return
        if not call.outbound.wants_progress or params.get("progressToken") != call.outbound.progress_token:
            return
        call.deadline.until = min(time.monotonic() + call.extend, call.latest)
        await call.on_progress(params)

    def _answer_question(self, call: _Call, message: Json, method: str) -> None:
        """A legacy server may ping; for anything else we declared no capability. A modern one may not ask."""
        request_id = message.get("id")
        call.asked += 1
        if call.era is Era.MODERN or call.asked > _MAX_ASKED or not isinstance(request_id, str | int):
            raise UpstreamFault("broken", sent=True, detail=f"the upstream asked {method[:64]}")
        reply: Json = (
            {"jsonrpc": "2.0", "id": request_id, "result": {}}
            if method == "ping"
            else error_message(request_id, METHOD_NOT_FOUND, "This client offers no such method.")
        )
        self._courtesy.post(call.installation, call.headers or {}, reply, "answer an upstream")

    def _call_off(self, call: _Call, why: str) -> None:
        if call.era is Era.LEGACY and call.headers is not None:
            self._courtesy.tell_cancelled(call.installation, call.outbound, call.headers, why)


class _SessionLost(Exception):
    """The upstream answered 404 for the session."""

    def __init__(self, unsuccessful: Unsuccessful) -> None:
        super().__init__(unsuccessful.status)
        self.unsuccessful = unsuccessful
