"""Listens to servers for news of their lists: those that control gives this worker, each of which nobody else has.

Run by `proxy/worker.py` as a task of its own: it asks control every few seconds, which renews what the worker has.
The credential is that with which control discovers. While control is away the worker goes on with what it has.
Whenever a server is heard again after it was not, control is to compare its tools with those that it knows: news may
have been missed.
"""

import asyncio
import logging
import time
from contextlib import suppress
from typing import Final, Protocol

from core.identifiers import new_id
from core.mcp.methods import LIST_CHANGED
from core.resolve import ResolvedInstallation
from core.tasks import Tasks, forever
from core.watches import MOST_HELD, WatchAnswer, WatchQuestion
from proxy.caches.two_ages import SourceUnreachable
from proxy.refusals import Refusal
from proxy.resolve.control_client import ListsUnknown
from proxy.resolve.list_news import ListNews
from proxy.upstream.answers import Json
from proxy.upstream.listened import Ears, Resolve, Wanted

log = logging.getLogger(__name__)
EVERY_S: Final = 8.0
"""Between two questions; a third of a lease, so that one that is lost costs nothing."""
SOON_S: Final = 0.2
"""Until control is asked about something that has changed, and what else does in that moment."""
COMPARED_S: Final = 300.0
"""How often the tools of a server that closes its streams again and again are compared."""
LEAVE_S: Final = 1.0
"""For giving back what the worker has, when it ends."""


class GivesServers(Protocol):
    """A part that asks control what to listen to (`proxy/resolve/control_client.py`)."""

    async def watches(self, question: WatchQuestion) -> WatchAnswer:
        """Ask. Raises SourceUnreachable, and ListsUnknown of a control that knows of no such thing."""


class Follows(Protocol):
    """A part that listens to a server (`proxy/upstream/listened.py`)."""

    async def follow(self, resolve: Resolve, wanted: Wanted, ears: Ears) -> None:
        """Listen until cancelled. Raises Refusal where that cannot be."""


class Watches:
    """The servers that one worker listens to."""

    def __init__(self, control: GivesServers, listening: Follows, news: ListNews) -> None:
        self._control, self._listening, self._news = control, listening, news
        self._tasks = Tasks("watches", quiet=(Refusal,))
        self._worker = new_id()
        self._held: dict[str, _Watch] = {}
        self._silent: set[str] = set()
        """Those of which control was not told yet that they cannot be listened to."""
        self._changed: set[str] = set()
        """Those of which control has said that they changed, and not yet how: perhaps not by another version."""
        self._unsure = False
        """Whether something changed since control was asked last: what it gives then may be as it was before."""
        self._doubt = asyncio.Event()

    def __len__(self) -> int:
        return len(self._held)

    def forget_installation(self, installation_id: str) -> None:
        """It has changed, or is gone: ask control soon, if it is listened to here."""
        self._unsure = True
        if installation_id in self._held:
            self._changed.add(installation_id)
            self._doubt.set()

    def doubt(self) -> None:
        """News may have been missed: ask soon how all that is listened to is reached now. What its address is held to
        changes without another version, and a stream that ends is opened again as it was.
        """
        self._unsure = True
        self._changed.update(self._held)
        self._doubt.set()

    async def keep_asking(self) -> None:
        """Run until cancelled."""
        await forever("watches", self._round, EVERY_S)

    async def leave(self) -> None:
        """Listen to nothing more, and let others have it."""
        await self._tasks.close()
        if not self._held:
            return
        self._held.clear()
        with suppress(SourceUnreachable, ListsUnknown, TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                _ = await self._control.watches(WatchQuestion(self._worker))

    async def _round(self) -> None:
        await self._ask()
        with suppress(TimeoutError):
            async with asyncio.timeout(EVERY_S):
                await self._doubt.wait()
                await asyncio.sleep(SOON_S)
        self._doubt.clear()

    async def _ask(self) -> None:
        silent = list(self._silent)[:MOST_HELD]
        changed, self._changed = self._changed, set()
        held = {name: 0 if name in changed else watch.installation.version for name, watch in self._held.items()}
        question = WatchQuestion(self._worker, held, MOST_HELD - len(held), silent)
        self._unsure = False
        try:
            answer = await self._control.watches(question)
        except (SourceUnreachable, ListsUnknown):
            self._changed |= changed
            return
        self._silent.difference_update(silent)
        for name in answer.ended:
            self._end(name)
        for installation in answer.installations:
            self._listen(installation)
        answered = {one.installation_id for one in answer.installations}
        self._changed |= {name for name in changed - answered if name in self._held}
        if self._unsure and answered:
            self._changed |= answered & self._held.keys()
            self._doubt.set()

    def _listen(self, installation: ResolvedInstallation) -> None:
        """Listen to it; what was listened to as it was before is left."""
        name = installation.installation_id
        watch = self._held.get(name)
        if watch is None:
            if len(self._held) >= MOST_HELD:
                return
            watch = self._held[name] = _Watch(installation, self._news)
        elif watch.task is not None:
            if watch.installation == installation:
                return
            watch.task.cancel()
        watch.installation = installation
        watch.task = self._tasks.spawn(installation.entry, self._follow(name, watch))

    def _end(self, name: str) -> None:
        watch = self._held.pop(name, None)
        if watch is not None and watch.task is not None:
            watch.task.cancel()

    async def _follow(self, name: str, watch: "_Watch") -> None:
        try:
            await self._listening.follow(watch.resolved, Wanted(lists=True), watch)
        except Refusal as refusal:
            log.info("a server cannot be listened to", extra={"entry": watch.installation.entry, "why": str(refusal)})
            if self._held.get(name) is watch:
                del self._held[name]
                if not watch.credential_has_ended:
                    self._silent.add(name)


class _Watch:
    """One server that is listened to, and what is made of what it says (`listened.Ears`)."""

    def __init__(self, installation: ResolvedInstallation, news: ListNews) -> None:
        self.installation, self._news = installation, news
        self.task: asyncio.Task[None] | None = None
        self._compared = float("-inf")

    @property
    def credential_has_ended(self) -> bool:
        """Whether control has to be asked for another one."""
        ends = self.installation.expires_at
        return ends > 0 and ends <= time.time()

    async def resolved(self) -> ResolvedInstallation:
        """How the server is reached now."""
        return self.installation

    def hear(self, method: str, params: Json) -> None:
        """A notification; of what is no list nobody here wants to know."""
        kind = LIST_CHANGED.get(method)
        if kind is not None:
            self._news.note(self.installation.installation_id, kind)

    def stands(self, uris: frozenset[str]) -> None:
        """It is heard from now on."""
        now = time.monotonic()
        if now - self._compared >= COMPARED_S:
            self._compared = now
            self._news.compare(self.installation.installation_id)

    def refused(self, uri: str, why: Refusal) -> None:
        """Nothing was asked for that could be refused."""

    def away(self) -> None:
        """It will stand again."""
