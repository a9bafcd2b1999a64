"""Streams on which a legacy server may ask the client of a session, while it serves one of its calls.

A server is to ask on the stream of the call that it serves (MCP 2025-11-25, "Sending Messages to the Server"), but
tools written with the official SDK for TypeScript ask on the session's own GET stream (`server.elicitInput` knows no
call). So a session that declares what its client can be asked for has that stream open as long as it is used, and
what comes on it goes to the call of that session that began last. Used by `conversation` and `sent_call`.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from core.egress.faults import UpstreamFault
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.caches.bounded import Bounded
from proxy.refusals import Refusal
from proxy.upstream.addresses import policy_of
from proxy.upstream.answers import Json
from proxy.upstream.courtesy import Courtesy
from proxy.upstream.handshake import UpstreamSession
from proxy.upstream.heard_stream import HeardStream
from proxy.upstream.outbound import Outbound
from proxy.upstream.running_call import RunningCall
from proxy.upstream.servers_questions import ServersQuestions
from proxy.upstream.transport import Transport

log = logging.getLogger(__name__)
MOST: Final = 2_000
"""Streams that one worker keeps open so; of more the one that was opened first is closed."""
KEPT_S: Final = 1500.0
"""As long as a session is used before it is looked for again, and its stream opened again."""
ATTENDED_S: Final = 2.0
"""How long a call that runs in no task may take to go on in one, where its server asks."""
HEAD_S: Final = 0.5
"""How long the first call of a session waits for the stream: some servers send its head only with the first event."""


class Asides:
    """The streams of one worker's sessions. `transport` is for streams alone."""

    def __init__(self, transport: Transport, tasks: Tasks, questions: ServersQuestions) -> None:
        self._transport, self._tasks, self._questions = transport, tasks, questions
        self._courtesy = Courtesy(transport, tasks)
        self._open: Bounded[str, _Aside] = Bounded(MOST)
        self.attend: Callable[[str], None] = lambda _: None
        """Has the calls of a session go on in tasks; the worker says how."""

    async def open(self, key: str, installation: ResolvedInstallation, session: UpstreamSession) -> None:
        """Open the stream of a session that was opened for one client, unless it is, or the server has none."""
        before, policy = self._open.get(key), policy_of(installation)
        if before is not None and (before.session, before.policy) == (session, policy):
            return
        if before is not None:
            before.close()
        aside = _Aside(session, policy)
        stream = HeardStream(self._transport, self._courtesy, installation, lambda _method, _params: None)
        stream.take_question = lambda message, method: self._take(key, aside, stream, message, method)
        gone = self._open.put(key, aside)
        if gone is not None:
            gone.close()
        if aside.has_none:
            return
        _, headers = Outbound("", {}, installation.own_headers).legacy(session.version, session.id)
        aside.task = self._tasks.spawn("what a server asks beside calls", self._read(key, aside, stream, headers))
        begun = self._tasks.spawn("wait for a stream", stream.begun.wait())
        try:
            await asyncio.wait({aside.task, begun}, timeout=HEAD_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            begun.cancel()

    def knows(self, key: str) -> bool:
        """Whether the stream of this session is open, or its server gives it none."""
        return self._open.peek(key) is not None

    @contextmanager
    def attended(self, key: str, call: RunningCall) -> Iterator[None]:
        """A time in which a call of this session runs, and can be asked what the server asks beside it."""
        aside = self._open.peek(key)
        if aside is None:
            yield
            return
        aside.calls.append(call)
        aside.attended.set()
        try:
            yield
        finally:
            aside.calls.remove(call)

    def forget_installation(self, identifier: str) -> None:
        """The installation changed: its streams are closed, and opened again with the next calls."""
        for key in [one for one in self._open if one.startswith(identifier + "/")]:
            aside = self._open.pop(key)
            if aside is not None:
                aside.close()

    def doubt(self) -> None:
        """News may have been missed: what is held to a policy is closed where no call runs, and opened with the next
        one as is allowed then.
        """
        for key, aside in self._open.items():
            if aside.policy and not aside.calls:
                _ = self._open.pop(key)
                aside.close()

    def _take(self, key: str, aside: "_Aside", stream: HeardStream, message: Json, method: str) -> None:
        """A question of the server: it goes to the call that began last. If none runs in a task, those of the session
        are first made to, since a caller can be asked in a task alone.
        """
        if aside.calls:
            self._questions.take(aside.calls[-1], message, method)
        else:
            _ = self._tasks.spawn("a question beside calls", self._attended(key, aside, stream, message, method))

    async def _attended(self, key: str, aside: "_Aside", stream: HeardStream, message: Json, method: str) -> None:
        aside.attended.clear()
        self.attend(key)
        with suppress(TimeoutError):
            async with asyncio.timeout(ATTENDED_S):
                await aside.attended.wait()
        if aside.calls:
            self._questions.take(aside.calls[-1], message, method)
        else:
            stream.refuse(message, method)

    async def _read(self, key: str, aside: "_Aside", stream: HeardStream, headers: dict[str, str]) -> None:
        try:
            async with asyncio.timeout(KEPT_S):
                await stream.keep_getting(headers, lambda: None)
        except TimeoutError:
            log.debug("a stream beside calls was open for long enough")
        except (Refusal, UpstreamFault) as fault:
            # One that was never opened is not tried again with each call, whatever the server said instead.
            aside.has_none = not stream.begun.is_set()
            log.info("a server cannot ask beside calls", extra={"why": repr(fault)})
        finally:
            if self._open.peek(key) is aside and not aside.has_none:
                self._open.pop(key)


class _Aside:
    """The stream of one session, and the calls of that session which can be asked now."""

    def __init__(self, session: UpstreamSession, policy: str) -> None:
        self.session, self.policy = session, policy
        """`policy`: to which it is held (`addresses.policy_of`)."""
        self.attended = asyncio.Event()
        """Set when a call begins to be attended."""
        self.calls: list[RunningCall] = []
        self.task: asyncio.Task[None] | None = None
        self.has_none = session.id is None
        """Whether the server gives this session no such stream."""

    def close(self) -> None:
        if self.task is not None:
            self.task.cancel()
