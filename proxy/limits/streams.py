"""The GET streams that this worker holds: one per session, capped in all and for each principal."""

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeAlias

from proxy.caller import Caller
from proxy.limits.shares import Shares, quarter

MayConcern: TypeAlias = Callable[[Caller, str, str], bool]
"""Whether something may be about the stream of this caller, at this gateway, in the session of this jti."""


class LooksAfterStreams(Protocol):
    """A part that looks at open streams now and then, and can be told to look now (`proxy/edge/stream_sweep.py`)."""

    def look_at(self, may_concern: MayConcern) -> "list[asyncio.Task[None]]":
        """Look at these at once; the questions that this began."""


class Streams:
    """The open GET streams of one worker: one per session, with a cap for each principal."""

    def __init__(self) -> None:
        self._owner: dict[str, str] = {}
        self._shares = Shares()
        self._sweeps: list[LooksAfterStreams] = []

    def looked_after_by(self, sweep: LooksAfterStreams) -> None:
        """This part looks after some of them."""
        self._sweeps.append(sweep)

    def look_at(self, may_concern: MayConcern) -> "list[asyncio.Task[None]]":
        """Have streams looked at now which something may be about; the questions that this began."""
        return [asked for sweep in self._sweeps for asked in sweep.look_at(may_concern)]

    def open(self, jti: str, owner: str, most: int) -> bool:
        """Take the session's one place; False where the worker has `most`, or this principal a quarter of that."""
        if not self._shares.take(owner, 1, most=most, share=quarter(most)):
            return False
        self._owner[jti] = owner
        return True

    def close(self, jti: str) -> None:
        """Give the place back."""
        owner = self._owner.pop(jti, None)
        if owner is not None:
            self._shares.give_back(owner, 1)

    def sessions(self) -> list[str]:
        """The sessions that have a stream, by their jti."""
        return list(self._owner)

    def __contains__(self, jti: str) -> bool:
        """Whether the session has a stream."""
        return jti in self._owner

    def __len__(self) -> int:
        return len(self._owner)
