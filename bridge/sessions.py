"""Sessions of legacy callers: what they can be asked for, what they follow, and what they hear beside calls.

All share one server and its one session, so that a session here is little. It ends with the run of the server, whose
own state ends then, too.
"""

import asyncio
import contextlib
import secrets
import time
from collections import OrderedDict
from typing import Any, Final

from core.mcp.methods import RESOURCE_UPDATED

MOST_SESSIONS: Final = 1_000
IDLE_S: Final = 3600.0
"""A session without a stream that was not used for so long is forgotten; its caller then opens another one."""
MOST_HEARD: Final = 256
"""Notifications that wait on one stream; what comes beyond is left out."""
MOST_STREAMS: Final = 4
"""Streams of one session; the oldest ends for one more."""
MOST_FOLLOWED: Final = 1_000
"""Resources that one session follows."""

Json = dict[str, Any]
Ear = asyncio.Queue[Json | None]
"""What is heard on one stream; None ends it."""


class Session:
    """One legacy caller's session: an identifier, and what is known under it."""

    def __init__(self, capabilities: Json) -> None:
        self.id = secrets.token_urlsafe(18)
        self.capabilities = capabilities
        """What its caller can be asked for."""
        self.followed: set[str] = set()
        """URIs of resources."""
        self.used = time.monotonic()
        self.ears: list[Ear] = []

    def listen(self) -> Ear:
        """A new stream."""
        if len(self.ears) >= MOST_STREAMS:
            self.stop_listening(self.ears[0])
        ear: Ear = asyncio.Queue(MOST_HEARD)
        self.ears.append(ear)
        return ear

    def stop_listening(self, ear: Ear) -> None:
        """End a stream."""
        if ear in self.ears:
            self.ears.remove(ear)
            if ear.full():
                _ = ear.get_nowait()
            ear.put_nowait(None)

    def end(self) -> None:
        """End all its streams."""
        for ear in list(self.ears):
            self.stop_listening(ear)


class Sessions:
    """The sessions of one run of the server, the longest unused first."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Session] = OrderedDict()

    def open(self, capabilities: Json) -> tuple[Session, list[Session]]:
        """A new session, and those that were forgotten for it."""
        forgotten: list[Session] = []
        now = time.monotonic()
        while self._known:
            oldest = next(iter(self._known.values()))
            if len(self._known) < MOST_SESSIONS and (oldest.ears or now - oldest.used < IDLE_S):
                break
            forgotten.append(self._known.pop(oldest.id))
            oldest.end()
        session = Session(capabilities)
        self._known[session.id] = session
        return session, forgotten

    def find(self, identifier: str) -> Session | None:
        """The session, which is used now."""
        session = self._known.get(identifier)
        if session is not None:
            session.used = time.monotonic()
            self._known.move_to_end(identifier)
        return session

    def end(self, identifier: str) -> Session | None:
        """Forget one, as its caller asks."""
        session = self._known.pop(identifier, None)
        if session is not None:
            session.end()
        return session

    def end_all(self) -> None:
        """The server's run is over."""
        for identifier in list(self._known):
            _ = self.end(identifier)

    def follows(self, uri: str) -> bool:
        """Whether any session follows this resource."""
        return any(uri in session.followed for session in self._known.values())

    def tell(self, message: Json) -> None:
        """Say it on every stream; a resource's news only to those who follow it."""
        params = message.get("params")
        uri = params.get("uri") if message.get("method") == RESOURCE_UPDATED and params else None
        for session in self._known.values():
            if uri is None or uri in session.followed:
                for ear in session.ears:
                    with contextlib.suppress(asyncio.QueueFull):
                        ear.put_nowait(message)
