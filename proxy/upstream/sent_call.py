"""Calls that are sent at once, over a connection that is at hand, without a task that waits for their answers.

This is the warm path. `SentCalls.begin` sends a call for which nothing else must be waited for; when its answer is
there, `received` reads it: a body that came whole, or the first message of an event stream. Everything else (an
unknown era, no session, no idle connection, a stream with something before the answer, a refusal) is for
`Upstreams.call` and `Upstreams.go_on`, which wait.
"""

import asyncio
from collections.abc import Callable, Generator
from typing import Any

from core.egress.faults import UpstreamFault
from core.mcp.versions import MODERN, Era
from core.resolve import ResolvedInstallation
from proxy.upstream.answers import ON_LOOP, Json, answer_in, message_in, the_answer
from proxy.upstream.asides import Asides
from proxy.upstream.call_frames import CallFrame, CallFrames
from proxy.upstream.courtesy import Courtesy
from proxy.upstream.deadlines import Deadlines
from proxy.upstream.eras import Found
from proxy.upstream.first_message import FirstMessage
from proxy.upstream.handshake import UpstreamSession
from proxy.upstream.health import Health
from proxy.upstream.outbound import Outbound
from proxy.upstream.pool.awaited_answer import PoolAnswer
from proxy.upstream.pool.places import Way
from proxy.upstream.session_loss import is_session_lost
from proxy.upstream.sessions import HeldSession, UpstreamSessions
from proxy.upstream.transport import Transport


class SentCall:
    """One call whose request is with the upstream. A caller with a task awaits it; one without is called back."""

    __slots__ = (
        "_calls",
        "_first",
        "answer",
        "attended",
        "caller",
        "installation",
        "outbound",
        "session",
        "session_lost",
        "until",
    )

    def __init__(
        self,
        calls: "SentCalls",
        installation: ResolvedInstallation,
        outbound: Outbound,
        caller: str,
        session: UpstreamSession | None,
        answer: PoolAnswer,
        until: float,
        first: FirstMessage | None = None,
    ) -> None:
        self._calls = calls
        self._first = first
        self.installation, self.outbound, self.caller = installation, outbound, caller
        self.session = session
        """Of a legacy upstream; None for a modern one."""
        self.session_lost: Json | UpstreamFault | None = None
        """The answer, where it says that the upstream does not know the session."""
        self.answer = answer
        self.attended = False
        """Whether its server asks something beside it: then its answer is waited for in a task."""
        self.until = until
        """Monotonic time at which it is given up."""

    def then(self, ready: Callable[[], None]) -> None:
        """Call `ready`, once and never at once, when it is time for `SentCalls.received`."""
        self.answer.when_ready(self._calls.most, ready, self.look_for_first_message)

    def look_for_first_message(self) -> bool:
        """Look at what came of an answer that is an event stream; whether `first_message` is known now."""
        return self.first_message.look()

    @property
    def first_message(self) -> FirstMessage:
        """Of an answer that is an event stream."""
        if self._first is None:
            self._first = FirstMessage(self.answer, self._calls.most)
        return self._first

    def may_be_taken_up(self, fault: UpstreamFault) -> bool:
        """Whether its answer is the event stream of a legacy server that broke off where it can go on."""
        head = self.answer.head
        if self.session is None or head is None or not head.streams:
            return False
        return fault.reason == "broken" and self.first_message.has_id

    def strike(self) -> None:
        """End the call because its time is over (called by `Deadlines`)."""
        self.answer.fail(UpstreamFault("slow", sent=True, detail="no answer in time"))

    def attend(self) -> None:
        """Go on in a task, in which the caller can be asked: the server asks something beside the call."""
        self.attended = True
        self.answer.go_on_now()

    def abandon(self) -> None:
        """Give the call up: nobody wants its answer any more."""
        self._calls.abandon(self)

    def __await__(self) -> Generator[Any, None, None]:
        """Wait until it is ready; a waiter that is cancelled meanwhile abandons it."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.then(lambda: None if future.done() else future.set_result(None))
        self.answer.wake()  # it may have come before the task began in which it is awaited
        try:
            yield from future
        except BaseException:
            self.abandon()
            raise


class SentCalls:
    """Sends calls at once over idle connections, and reads their answers."""

    def __init__(
        self,
        health: Health,
        sessions: UpstreamSessions,
        transport: Transport,
        courtesy: Courtesy,
        deadlines: Deadlines,
        asides: Asides,
        *,
        most: int,
    ) -> None:
        self._health, self._sessions, self.transport = health, sessions, transport
        self._courtesy, self.deadlines = courtesy, deadlines
        self._asides = asides
        self.against = health.breakers.against
        """What is against a server, by its installation; None for nothing."""
        self._frames = CallFrames(transport)
        self.most = most
        """Bytes that an answer may have."""

    def seconds_for(self, installation: ResolvedInstallation) -> float:
        """How long a call may wait for its answer."""
        return self.deadlines.seconds_for(installation)

    def begin(
        self, installation: ResolvedInstallation, outbound: Outbound, principal: str, jti: str | None
    ) -> SentCall | None:
        """Send a call; None, and nothing sent, where something must be waited for first.

        `principal` and `jti`: on whose behalf, as in `Owner`.
        """
        health, session = self._health, None
        if health.breakers.doubts(installation.installation_id) and health.doubts(installation, outbound, principal):
            return None
        era = health.eras.known(installation)
        if era is Era.LEGACY:
            key = self._sessions.key(installation, principal, jti, outbound.profile)
            session = None if outbound.profile and not self._asides.knows(key) else self._sessions.known(key)
        if era is None or (session is None and era is Era.LEGACY):
            return None
        frame = self._frames.of(installation, outbound, MODERN if session is None else session.version)
        if frame is None:
            return None
        answer = self.transport.send_now(frame.head, _more(frame, outbound, session), frame.body(outbound))
        if answer is None:
            return None
        sent = SentCall(self, installation, outbound, principal, session, answer, self.deadlines.until(installation))
        self.deadlines.started(sent)
        return sent

    def way(self, sent: SentCall) -> tuple[Way, bytes, bytes] | None:
        """How calls like one that was answered go again, with what stands before and behind their arguments; None
        where each is written by itself. A way of calls that tell their request's identifier ends before that.
        """
        session = sent.session
        frame = self._frames.of(sent.installation, sent.outbound, MODERN if session is None else session.version)
        if frame is None or sent.outbound.meta or sent.outbound.wants_progress:
            return None
        more, says = _more(frame, sent.outbound, session), sent.installation.request_id_header
        more = {name: value for name, value in more.items() if name != says}
        way = self.transport.way(frame.head, more, says)
        return None if way is None else (way, frame.before, frame.end_of(sent.outbound))

    def rests_on(self, sent: SentCall, jti: str | None) -> tuple[Found | None, HeldSession | None]:
        """What `begin` took for true of the server of a call: its era, where that was found out, and its session."""
        installation = sent.installation
        key = self._sessions.key(installation, sent.caller, jti, sent.outbound.profile)
        return self._health.eras.found(installation), None if sent.session is None else self._sessions.held(key)

    def begun(
        self,
        installation: ResolvedInstallation,
        outbound: Outbound,
        principal: str,
        session: UpstreamSession | None,
        answer: PoolAnswer,
        until: float,
        first: FirstMessage | None,
    ) -> SentCall:
        """A call that was sent otherwise, from its answer on."""
        sent = SentCall(self, installation, outbound, principal, session, answer, until, first)
        self.deadlines.started(sent)
        return sent

    def received(self, sent: SentCall) -> Json | None:
        """The message that answers a call that is ready; None where `Upstreams.go_on` must read it.

        Raises Refusal with a reason of the `upstream_` family.
        """
        self.deadlines.stopped(sent)
        if sent.attended:
            return None
        answer = sent.answer
        if answer.head is not None and answer.head.streams and sent.look_for_first_message():
            return self._first_message(sent)
        if answer.fault is not None and sent.may_be_taken_up(answer.fault):
            return None
        if answer.fault is None and (not answer.is_whole or answer.buffered > ON_LOOP):
            return None
        sound = False
        try:
            message = _message(sent)
            sound = True
        except UpstreamFault as fault:
            if fault.kind == "session_lost" and sent.session is not None:
                sent.session_lost = fault
                return None
            if fault.reason == "slow":
                self._tell(sent, "deadline")
            raise self._health.refusal(sent.installation, sent.outbound, sent.caller, fault) from fault
        finally:
            answer.settle(sound=sound)
        return self._answered(sent, message)

    def _first_message(self, sent: SentCall) -> Json | None:
        """The first message of a stream if it is the answer; whatever comes behind it, a fault even, is too late."""
        answer, first = sent.answer, sent.first_message
        if first.data is not None and len(first.data) > ON_LOOP:
            return None  # it is read beside the loop, in its turn
        try:
            message = the_answer(message_in(first.data or b""), sent.outbound.id)
        except UpstreamFault:
            return None  # the stream is read from its beginning, and what is wrong with it is said there
        answer.may_be_left(all_read=first.is_alone)
        answer.fetch()
        answer.settle(sound=True)
        return self._answered(sent, message)

    def _answered(self, sent: SentCall, message: Json) -> Json | None:
        """The message, unless it says that the session is lost: then the call goes on in another."""
        self._health.answered(sent.installation, sent.outbound, sent.caller, message)
        if "error" in message and sent.session is not None and is_session_lost(message):
            sent.session_lost = message
            return None
        return message

    def abandon(self, sent: SentCall) -> None:
        """Nobody waits for this call: a modern upstream sees the end of the connection, a legacy one is told."""
        self.deadlines.stopped(sent)
        sent.answer.settle(sound=False)
        self._tell(sent, "cancelled by the caller")

    def _tell(self, sent: SentCall, why: str) -> None:
        if sent.session is not None:
            _, headers = sent.outbound.legacy(sent.session.version, sent.session.id)
            self._courtesy.tell_cancelled(sent.installation, sent.outbound, headers, why)


def _message(sent: SentCall) -> Json:
    answer = sent.answer
    if answer.fault is not None:
        raise answer.fault
    return answer_in(answer.fetch(), sent.outbound.id)


def _more(frame: CallFrame, outbound: Outbound, session: UpstreamSession | None) -> dict[str, str]:
    """The headers that stand beside those of the frame."""
    more = frame.more(outbound)
    return more if session is None or session.id is None else {**more, "mcp-session-id": session.id}
