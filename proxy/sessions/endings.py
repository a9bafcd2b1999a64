"""Ending a legacy session before its time: here at once, then in Redis, then in every other worker.

Called by `proxy/answers/sessions.py`. The tombstone in Redis is written before the letter is sent, so that a worker
that gets the letter, or comes later, finds it. What could not be told because Redis is away is told when Redis is
back: otherwise a session that its client ended would go on in the other workers for the rest of its day. What a
worker owes is lost when it ends before that (docs/adr/0008-ended-sessions-by-mailbox.md).

A worker that may have missed letters looks for tombstones: at once those of sessions that hold a stream open, of any
other when it is used again.
"""

import asyncio

from core.tasks import forever
from proxy.caches.bounded import Bounded
from proxy.limits.streams import Streams
from proxy.sessions.mailbox import Letter, Mailbox
from proxy.sessions.sealed import Session, Sessions

_MOST_OWED = 50_000
_RETRY_S = 1.0


class Endings:
    """Ends sessions, remembers which of them the others have not heard of yet, and learns what was missed here."""

    def __init__(self, sessions: Sessions, mailbox: Mailbox, streams: Streams) -> None:
        self._sessions, self._mailbox, self._streams = sessions, mailbox, streams
        self._missed = False
        self._owed: Bounded[str, Session] = Bounded(_MOST_OWED)

    async def end(self, session: Session) -> None:
        """End a session; it is over in this worker even if nobody else can be told now."""
        self._sessions.end_here(session.jti)
        if not await self._tell(session):
            self._owed.put(session.jti, session)

    def doubt(self) -> None:
        """Letters may have been missed."""
        self._sessions.forget_seen()
        self._missed = True

    async def keep_up(self) -> None:
        """Tell what could not be told, and look for what was missed, until cancelled."""
        await forever("endings", self._catch_up, _RETRY_S)

    async def _catch_up(self) -> None:
        await asyncio.sleep(_RETRY_S)
        if self._missed:
            self._missed = False
            self._missed = not await self._sessions.look_for(self._streams.sessions()) or self._missed
        for session in self._owed.values():
            if not await self._tell(session):
                return
            self._owed.pop(session.jti)

    async def _tell(self, session: Session) -> bool:
        return await self._sessions.bury(session) and await self._mailbox.post(Letter("ended", session.jti))
