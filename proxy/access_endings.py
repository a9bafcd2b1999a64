"""Calls that run and streams that are open while their callers lose their access, or their installation: each ends.

Whoever may not call any more does not begin a call, since the verdict on them is gone; what they began before goes
on for up to ten minutes unless it is ended here. Control's word on a change says what it is about, not what it means:
so those whom it may concern are judged again, as they would be with their next call, and only calls of those who
would be refused are cut off. `proxy/forgetting.py` tells of each change once what it makes untrue is forgotten. While
no change can be heard of, because Redis is away, all who have calls running are judged again twice a soft age. That a
token has expired since does not end a call: it was good when the call began, and nothing was taken away. The caller
of a call is told why.

A call whose installation may be gone is judged by what control would give it now. It goes on with what it has where
that is the same installation, be it with another credential, or with none until somebody signs in. Open event streams
are judged by `proxy/edge/stream_sweep.py`, which is told here when to look.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from core.resolve import InstallationQuestion, ResolvedInstallation
from core.tasks import Tasks, forever
from proxy.caches.two_ages import SourceUnreachable
from proxy.caller import Caller
from proxy.deps import Deps
from proxy.limits.running_calls import CutOff, RunningCall, Through
from proxy.limits.streams import MayConcern
from proxy.refusals import Refusal
from proxy.resolve.installations import whose
from proxy.stages.authenticate import judged_again

log = logging.getLogger(__name__)
Concerns = Callable[[Caller], bool]
"""Whether a change may be about this caller."""
ConcernsInstallation = Callable[[ResolvedInstallation], bool]
"""Whether a change may be about this installation."""
Judge = Callable[[RunningCall], Awaitable[bool]]
"""Whether a call may go on."""
_AT_ONCE: Final = 20
"""Callers who are asked about at the same time."""
_STILL_THERE: Final = frozenset({"needs_sign_in", "provider_away", "server_starting", "server_failed"})
"""Refusals of an installation that is there, and lacks a credential that holds, or whose server does not run now:
what runs has a credential that held, and perhaps goes on with the server of before."""


class AccessEndings:
    """Ends the calls of those whose access has ended. One for each worker."""

    def __init__(self, deps: Deps, tasks: Tasks) -> None:
        self._deps, self._tasks = deps, tasks
        self.cut = 0
        """Calls that were ended so."""
        self._judging: set[asyncio.Task[None]] = set()

    def look(self, concerns: Concerns, *, at: Collection[str] = ()) -> None:
        """Judge again those who have calls running or streams open, and whom it may be about as `concerns` says.

        `at`: the names of one gateway, where only what is at this one is meant.
        """
        self._look_at_calls(concerns, at)
        self._look_at_streams(lambda caller, gateway, _: (not at or gateway in at) and concerns(caller))

    def look_at_session(self, jti: str) -> None:
        """Look at the stream of a session that has ended."""
        self._look_at_streams(lambda _, __, session: session == jti)

    def look_at_all(self) -> None:
        """Judge everybody again who has a call running, since news may have been missed."""
        self._look_at_calls(lambda caller: not _has_expired(caller))

    def look_at_installations(self, concerns: ConcernsInstallation) -> None:
        """Look again whether running calls would still get the installation that they go through."""
        groups: dict[tuple[str, str], list[RunningCall]] = {}
        for call in self._deps.calls.running():
            caller, _, _, through = call.asked()
            if through is not None and concerns(through.installation):
                groups.setdefault((caller.proof.digest, _key(caller, through, self._deps)), []).append(call)
        if groups:
            work = self._judge(list(groups.values()), self._is_still_theirs, "installation_ended")
            self._remember(self._tasks.spawn("installations that ended", work))

    def end_all(self, at: Collection[str]) -> None:
        """End every call and stream of a gateway that is gone."""
        for calls in self._running(lambda _: True, at):
            self._cut_off(calls, "access_ended")
        self._look_at_streams(lambda _, gateway, __: gateway in at)

    async def settled(self) -> None:
        """Wait until all were judged that are being judged now."""
        if self._judging:
            _ = await asyncio.wait(set(self._judging))

    def _look_at_calls(self, concerns: Concerns, at: Collection[str] = ()) -> None:
        groups = self._running(concerns, at)
        if groups:
            self._remember(self._tasks.spawn("access", self._judge(groups, self._may_go_on, "access_ended")))

    def _look_at_streams(self, may_concern: MayConcern) -> None:
        for asked in self._deps.streams.look_at(may_concern):
            self._remember(asked)

    def _remember(self, judging: "asyncio.Task[None]") -> None:
        self._judging.add(judging)
        judging.add_done_callback(self._judging.discard)

    def _running(self, concerns: Concerns, at: Collection[str]) -> list[list[RunningCall]]:
        """The calls, by caller and gateway."""
        running: dict[tuple[str, str], list[RunningCall]] = {}
        for call in self._deps.calls.running():
            caller, gateway_name, *_ = call.asked()
            if (not at or gateway_name in at) and concerns(caller):
                running.setdefault((caller.proof.digest, gateway_name), []).append(call)
        return list(running.values())

    async def keep_looking(self) -> None:
        """Judge everybody again now and then, until cancelled."""
        await forever("access", self._look_after_a_while, self._deps.settings.soft_age / 2)

    async def _look_after_a_while(self) -> None:
        await asyncio.sleep(self._deps.settings.soft_age / 2)
        self.look_at_all()

    async def _judge(self, groups: list[list[RunningCall]], may_go_on: Judge, why: CutOff) -> None:
        places = asyncio.Semaphore(_AT_ONCE)

        async def judge(calls: list[RunningCall]) -> None:
            async with places:
                if not await may_go_on(calls[0]):
                    self._cut_off(calls, why)

        async with asyncio.TaskGroup() as group:
            for calls in groups:
                _ = group.create_task(judge(calls))

    async def _may_go_on(self, call: RunningCall) -> bool:
        caller, gateway_name, address, _ = call.asked()
        try:
            now = await judged_again(caller, gateway_name, address, self._deps)
        except Exception:
            log.exception("a caller could not be judged again")
            return False
        gateway = self._deps.gateways.peek(gateway_name)
        if now.principal is None:
            return False
        # A gateway that was let go for want of room says nothing against the call.
        return gateway is None or (gateway.admits(now.principal) and gateway.accepts(now.way))

    async def _is_still_theirs(self, call: RunningCall) -> bool:
        """Whether control would give this call the same installation now."""
        caller, _, _, through = call.asked()
        if through is None or _has_expired(caller):
            return True
        question = InstallationQuestion.of(caller.proof, through.gateway_id, through.assignment_id)
        try:
            now = await self._deps.installations.resolve(_key(caller, through, self._deps), question)
        except SourceUnreachable:
            return True
        except Refusal as refusal:
            return refusal.reason in _STILL_THERE
        return now.installation_id == through.installation.installation_id

    def _cut_off(self, calls: list[RunningCall], why: CutOff) -> None:
        self.cut += len(calls)
        caller, gateway_name, *_ = calls[0].asked()
        told = {"principal": caller.key, "gateway": gateway_name, "calls": len(calls), "why": why}
        log.info("calls were ended, since their caller may not make them any more", extra=told)
        for call in calls:
            call.cut_off(why)


def _key(caller: Caller, through: Through, deps: Deps) -> str:
    """Under which the installation of a call is remembered."""
    return deps.installations.key(through.gateway_id, through.assignment_id, whose(through.route, caller))


def _has_expired(caller: Caller) -> bool:
    """Whether what they came with is past its end, so that nobody can say any more who bears it."""
    ends = [caller.verdict.expires, None if caller.verified is None else caller.verified.expires]
    return any(end is not None and end <= time.time() for end in ends)
