"""One call to one upstream, from the first byte sent to the one message that answers it.

For the stage `receive`, where more than one whole message is to be waited for: `Upstreams.call` from the beginning,
`Upstreams.go_on` from the answer to a call that was sent at once (`sent_call.py`, the warm path). What differs
between the eras is how a call is opened and how it is cancelled: on a modern upstream by leaving the stream, on a
legacy one by telling it. A call is sent again by itself only where the upstream said that it did not know the session
(`session_loss`): then it has not run.
"""

import asyncio
from collections.abc import Awaitable
from functools import partial

import orjson

from core.egress.faults import UpstreamFault
from core.mcp.versions import Era
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.refusals import Refusal
from proxy.resolve.list_news import ListNews
from proxy.upstream.addresses import address_of
from proxy.upstream.answers import Json, is_success
from proxy.upstream.asides import Asides
from proxy.upstream.call_answers import CallAnswers
from proxy.upstream.courtesy import Courtesy
from proxy.upstream.deadlines import Deadlines
from proxy.upstream.eras import Eras
from proxy.upstream.handshake import UpstreamSession
from proxy.upstream.health import Health
from proxy.upstream.large_answers import LargeAnswers, Turns
from proxy.upstream.listened import Listening
from proxy.upstream.old_sessions import OldSessions
from proxy.upstream.outbound import Outbound
from proxy.upstream.refused_calls import RefusedCalls, SessionLost
from proxy.upstream.running_call import CallersSide, Owner, RunningCall
from proxy.upstream.sent_call import SentCall, SentCalls
from proxy.upstream.servers_questions import ServersQuestions
from proxy.upstream.session_loss import is_session_lost
from proxy.upstream.sessions import UpstreamSessions
from proxy.upstream.transport import Transport, UpstreamAnswer

_MAX_SESSIONS = 4
"""In which a call is tried: the one at hand, those of other workers, and new ones."""


class Upstreams:
    """Calls upstreams, whatever must be waited for: an era, a session, progress, an answer."""

    def __init__(
        self,
        transport: Transport,
        eras: Eras,
        sessions: UpstreamSessions,
        tasks: Tasks,
        *,
        to_listen: Transport,
        list_news: ListNews,
        call_seconds: float,
        ceiling_seconds: float,
        max_answer: int,
    ) -> None:
        self.sessions = sessions
        self._deadlines = Deadlines(seconds=call_seconds, ceiling=ceiling_seconds)
        self.health = Health(eras, self._deadlines, max_answer=max_answer)
        self._courtesy, self._refused = Courtesy(transport, tasks), RefusedCalls(sessions, eras)
        self._transport = transport
        questions = ServersQuestions(self._courtesy, tasks)
        self._answers = CallAnswers(transport, questions, list_news, most=max_answer)
        self.asides = Asides(to_listen, tasks, questions)
        """What legacy servers ask beside their calls."""
        self.sent = SentCalls(
            self.health, sessions, transport, self._courtesy, self._deadlines, self.asides, most=max_answer
        )
        """Calls that need nobody to wait: the warm path."""
        self.old = OldSessions(transport, to_listen, tasks, most=max_answer)
        """With servers that speak only the transport of 2024-11-05."""
        self.listening = Listening(to_listen, eras, tasks)
        """To what servers say outside of calls."""
        self.large = LargeAnswers()
        """Where answers take turns that are large."""

    async def call(
        self, installation: ResolvedInstallation, outbound: Outbound, owner: Owner, beside: CallersSide
    ) -> Json:
        """The upstream's final message. Raises Refusal with a reason of the `upstream_` family."""
        self.health.admit(installation, outbound, owner.principal_key)
        call = self._new(installation, outbound, owner, beside, owner.until)
        work = self._timed(call, self._in_its_era(call, owner))
        return await self.health.guarded(installation, outbound, owner.principal_key, work)

    async def go_on(self, sent: SentCall, owner: Owner, beside: CallersSide) -> Json:
        """As `call`, for one that was sent, and whose answer is more than one whole message."""
        call = self._new(sent.installation, sent.outbound, owner, beside, sent.until)
        work = self._timed(call, self._rest(call, sent, owner))
        return await self.health.guarded(sent.installation, sent.outbound, owner.principal_key, work)

    def forget_installation(self, identifier: str, *, over: bool) -> None:
        """The installation changed. `over`: it is gone, or has another server or credential."""
        for part in (self.health, self.asides, *((self.sessions, self.old) if over else ())):
            part.forget_installation(identifier)

    def doubt(self) -> None:
        """News may have been missed: no stream stays open that a policy may not allow any more and no call needs."""
        self.asides.doubt()
        self.old.doubt()

    def _new(
        self, installation: ResolvedInstallation, outbound: Outbound, owner: Owner, beside: CallersSide, until: float
    ) -> RunningCall:
        deadlines = self._deadlines
        deadline = deadlines.limit(until or deadlines.until(installation))
        latest = deadlines.latest(installation, deadline.until)
        turns, extend = Turns(self.large, owner.hold), deadlines.seconds_for(installation)
        return RunningCall(installation, outbound, beside, turns, deadline, extend, latest)

    async def _timed(self, call: RunningCall, work: Awaitable[Json]) -> Json:
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
        finally:
            for question in call.questions:
                question.cancel()

    async def _rest(self, call: RunningCall, sent: SentCall, owner: Owner) -> Json:
        """From an answer that has begun, or from the start again where the upstream no longer knew the session."""
        session = sent.session
        call.era = Era.MODERN if session is None else Era.LEGACY
        call.headers = {} if session is None else sent.outbound.legacy(session.version, session.id)[1]
        key = "" if session is None else self._key(call, owner)
        try:
            if sent.session_lost is not None:
                raise SessionLost(sent.session_lost)
            with self.asides.attended(key, call):
                if sent.attended:
                    await sent.answer.begun()
                read = await self._read(call, sent.answer, session, key)
        except BaseException as error:
            sent.answer.settle(sound=False)
            if session is None or not isinstance(error, SessionLost):
                raise
            await self.sessions.lost(key, session)
            call.fresh_left = 1
            return await self._in_its_era(call, owner)
        sent.answer.settle(sound=True)
        with self.asides.attended(key, call):
            received = read or await self._answers.taken_up(call)
        self.health.answered(call.installation, call.outbound, owner.principal_key, received)
        return received

    async def _in_its_era(self, call: RunningCall, owner: Owner) -> Json:
        installation = call.installation
        met = era = self.health.eras.known(installation)
        if era is Era.MODERN:
            return await self._modern(call, owner)
        key = self._key(call, owner)
        if self.old.speaks(installation):
            return await self._by_old_transport(call, key)
        try:
            if era is None:
                opens = partial(self.sessions.open, key, installation, capabilities=call.outbound.declared)
                era = (await self.health.eras.find(installation, opens)).era
        except Refusal as refusal:
            return await self._by_old_transport(call, key, refusal)
        if era is Era.LEGACY:
            try:
                return await self._legacy(call, key, just_met=met is None)
            except _NoSession as none:
                if not await self.health.eras.became_modern(installation, none.refusal):
                    return await self._by_old_transport(call, key, none.refusal)
        return await self._modern(call, owner)

    async def _by_old_transport(self, call: RunningCall, key: str, refusal: Refusal | None = None) -> Json:
        """`refusal`: why no session is opened by the later transport; raised where the server has not this one."""
        if refusal is not None and not await self.old.is_behind(refusal, call.installation):
            raise refusal
        return await self.old.call(call, key, partial(self._send, call))

    def _key(self, call: RunningCall, owner: Owner) -> str:
        return self.sessions.key(call.installation, owner.principal_key, owner.session_jti, call.outbound.profile)

    async def _modern(self, call: RunningCall, owner: Owner) -> Json:
        call.era = Era.MODERN
        message, headers = call.outbound.modern()
        answer = await self._send(call, message, headers, None, "")
        self.health.answered(call.installation, call.outbound, owner.principal_key, answer)
        return answer

    async def _legacy(self, call: RunningCall, key: str, *, just_met: bool) -> Json:
        call.era = Era.LEGACY
        sessions = self.sessions
        for _ in range(_MAX_SESSIONS):
            session, fresh = sessions.known(key), False
            if session is None:
                session = await self._opened(key, call)
                fresh = sessions.is_fresh(key, session)
            is_new = fresh or (just_met and sessions.is_fresh(key, session))
            call.in_new_session = (
                is_new or call.outbound.lists is not None
            )  # of a list the server's own words are told
            message, headers = call.outbound.legacy(session.version, session.id)
            if call.outbound.profile and call.outbound.lists is None:
                await self.asides.open(key, call.installation, session)
            try:
                with self.asides.attended(key, call):
                    return await self._send(call, message, headers, session, key)
            except SessionLost as lost:
                await sessions.lost(key, session)
                call.fresh_left = call.fresh_left - 1 if fresh else 1
                if call.fresh_left:
                    continue
                # Said of a new session too: it is about something else.
                return self._refused.told(call.installation, call.outbound, lost.said)
        raise UpstreamFault("broken", sent=True, whole=True, detail="the upstream loses every new session at once")

    async def _opened(self, key: str, call: RunningCall) -> UpstreamSession:
        try:
            return await self.sessions.open(key, call.installation, capabilities=call.outbound.declared)
        except Refusal as refusal:
            raise _NoSession(refusal) from refusal

    async def _send(
        self, call: RunningCall, message: Json, headers: dict[str, str], session: UpstreamSession | None, key: str
    ) -> Json:
        url, through = address_of(call.installation), call.through or self._transport
        call.headers = headers
        # The call's own deadline keeps the time, so that a legacy server is told when it strikes.
        async with through.request("POST", url, headers, orjson.dumps(message)) as response:
            read = await self._read(call, response, session, key)
        return read or await self._answers.taken_up(call)

    async def _read(
        self, call: RunningCall, response: UpstreamAnswer, session: UpstreamSession | None, key: str
    ) -> Json | None:
        """The answer; None where a stream ended before it and can be taken up."""
        if not is_success(response.status):
            call.headers = None
            of, is_new = (call.installation, call.outbound), call.in_new_session
            return await self._refused.answer_of(*of, response, session, key, is_new=is_new)
        try:
            received = await self._answers.of(call, response)
        except UpstreamFault as fault:
            if session is None or fault.kind != "session_lost":
                raise
            raise SessionLost(fault) from fault
        if received is None:
            return None
        call.headers = None  # answered: nothing to cancel any more
        if session is not None and is_session_lost(received):
            raise SessionLost(received)
        return received

    def _call_off(self, call: RunningCall, why: str) -> None:
        if call.era is Era.LEGACY and call.headers is not None:
            self._courtesy.tell_cancelled(call.installation, call.outbound, call.headers, why)


class _NoSession(Exception):
    """The upstream refused to open a session."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__()
        self.refusal = refusal
