"""The calls that run in this worker, so that they can be cancelled from elsewhere, and ended when the worker stops.

A call runs in one of four ways: in a task of its own (`run`); in a task of its lane that serves this one request and
outlives its caller (`run_here`); while only its upstream is waited for, in none (`waits`); or by its plan, outside of
any session, in a set that is looked through when the worker stops (`watch`). `UpstreamCall.go_on`,
`pipeline.answer_request` and `PlannedCall.waits` register it. Whoever called may lose their access meanwhile:
`proxy/access_endings.py` asks for all that `running`, and has those cut off.

A modern caller that leaves cancels it; a legacy caller that leaves does not (MCP 2025-11-25, transports): its call
runs on to the deadline, with nobody to tell. A legacy cancellation names a session and a request id, and may arrive
at another worker: the mailbox brings it to the table that has the call.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, Literal, NamedTuple, Protocol

from core.resolve import ResolvedInstallation
from core.snapshot import Route
from core.tasks import Tasks
from proxy.caller import Caller

CallKey = tuple[str, str | int]
"""The session's jti and the request's id."""
CutOff = Literal["access_ended", "installation_ended"]
"""Why a call is ended that its caller still waits for: a reason of `proxy/refusals.py`."""
LEAVE_S = 1.0
END_S = 1.0


class Through(NamedTuple):
    """The installation that a call goes through, and what it was resolved for."""

    installation: ResolvedInstallation
    gateway_id: str
    assignment_id: str
    route: Route
    """Which says whether it is the caller's own."""


class Asked(NamedTuple):
    """What a running call was decided on."""

    caller: Caller
    """As judged when they called."""
    gateway: str
    """As the request names it."""
    address: str
    """That it came from."""
    through: Through | None
    """None before it was resolved."""


class Stepped(Protocol):
    """A call that runs in no task while its upstream is waited for (`proxy/upstream_call.py`)."""

    @property
    def key(self) -> CallKey | None:
        """The key by which the call's session cancels it; None outside of a session."""

    def cancel(self) -> None:
        """End the call now."""


class RunningCall(Stepped, Protocol):
    """A call that runs, in whichever way, and for whom (`proxy/upstream_call.py`, `proxy/plans/planned_call.py`)."""

    def asked(self) -> Asked:
        """Who called, which gateway, from where, and through which installation."""

    @property
    def request_id(self) -> str:
        """Of its caller's request, however it runs."""

    def keep_alive(self) -> None:
        """Say something to its caller, who has waited for long."""

    def attend(self) -> None:
        """Its server asks something beside it, of which its caller is to hear."""

    def cut_off(self, why: CutOff) -> None:
        """End it now, wherever it waits, and tell its caller why."""


class Calls:
    """The calls that run in one worker, with what each principal holds of its places and its memory."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._all: set[asyncio.Task[Any]] = set()
        self._stepped: set[Stepped] = set()
        self._begun: set[RunningCall] = set()
        """Those that went through the stages, in whichever way they run."""
        self._others: list[Iterable[RunningCall]] = []
        self._running: dict[CallKey, asyncio.Task[Any] | Stepped] = {}
        self._called_off: set[asyncio.Task[Any]] = set()
        """Cancelled by their own sessions, and not yet at their ends."""

    def serve(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """A task for one request of a lane; with `run_here` its call needs no other."""
        return self._tasks.spawn("request", work)

    def begins(self, call: RunningCall) -> None:
        """A call has a place; it runs until `ends`."""
        self._begun.add(call)

    def ends(self, call: RunningCall) -> None:
        """A call has given its place back."""
        self._begun.discard(call)

    def running(self) -> list[RunningCall]:
        """Every call that runs now."""
        return [*self._begun, *(one for running in self._others for one in running)]

    def attend(self, session_key: str) -> None:
        """Have those attended that run in this session with a server (`UpstreamSessions.key`)."""
        for call in self.running():
            caller, _, _, through = call.asked()
            if through is None:
                continue
            one = through.installation
            client = f"session:{call.key[0]}" if call.key is not None else one.made_for or caller.key
            if session_key.startswith(f"{one.installation_id}/{one.version}/{client}/"):
                call.attend()

    def call_off(self, task: "asyncio.Task[Any]") -> bool:
        """Cancel a call in the task that it runs in, which may be its lane's; whether it was not over."""
        if task in self._called_off:
            return True
        if not task.cancel():
            return False
        self._called_off.add(task)
        return True

    async def run(self, key: CallKey | None, work: Coroutine[Any, Any, None], *, ends_with_caller: bool) -> None:
        """Run a call to its end; being cancelled here means that the caller has left."""
        task = self._tasks.spawn("call", work)
        self._all.add(task)
        task.add_done_callback(self._forget)
        if key is not None:
            self._running[key] = task
            task.add_done_callback(lambda _: self._done(key, task))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.done() and task.cancelled():
                return  # cancelled by its own session, not by the caller's leaving
            if ends_with_caller:
                task.cancel()
                await asyncio.wait((task,), timeout=LEAVE_S)
            raise

    async def run_here(self, key: CallKey | None, work: Coroutine[Any, Any, None]) -> None:
        """Run a call to its end in the task that awaits this. CancelledError passes, unless its session sent it."""
        task = asyncio.current_task()
        assert task is not None
        self._all.add(task)
        if key is not None:
            self._running[key] = task
        try:
            await work
        except asyncio.CancelledError:
            if task not in self._called_off or task.uncancel():
                raise  # cancelled by a caller that has left, or by a worker that stops
        finally:
            self._forget(task)
            if key is not None:
                self._done(key, task)

    def watch(self, running: Iterable[RunningCall]) -> None:
        """When the worker stops, cancel these, too: calls that are waited for and outside of any session."""
        self._others.append(running)

    def waits(self, call: Stepped) -> None:
        """A call waits in no task: for its upstream, or for the task to begin in which it calls `run_here`."""
        self._stepped.add(call)
        if call.key is not None:
            self._running[call.key] = call

    def waits_no_more(self, call: Stepped) -> None:
        """A call that waited goes on, or was cancelled."""
        self._stepped.discard(call)
        if call.key is not None:
            self._done(call.key, call)

    def cancel(self, key: CallKey) -> bool:
        """Cancel the call with this key; whether it runs here."""
        running = self._running.get(key)
        if isinstance(running, asyncio.Task):
            return self.call_off(running)
        if running is not None:
            running.cancel()
        return running is not None

    def cancel_session(self, jti: str) -> None:
        """Cancel every call of a session that has ended."""
        for key in [key for key in self._running if key[0] == jti]:
            _ = self.cancel(key)

    async def end(self) -> None:
        """The worker stops: cancel every call, and wait until each has left its record, at most `END_S`."""
        # Each once: a call that is waited for and has a session stands in both.
        for call in dict.fromkeys([*self._stepped, *(one for running in self._others for one in running)]):
            call.cancel()
        running = set(self._all)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=END_S)

    def _forget(self, task: "asyncio.Task[Any]") -> None:
        self._all.discard(task)
        self._called_off.discard(task)

    def _done(self, key: CallKey, call: "asyncio.Task[Any] | Stepped") -> None:
        if self._running.get(key) is call:
            del self._running[key]


def versions_in_use(running: Iterable[RunningCall]) -> set[tuple[str, int]]:
    """Through which installations these calls go: the identifier and the version of each."""
    through = (call.asked().through for call in running)
    return {(one.installation.installation_id, one.installation.version) for one in through if one is not None}
