"""One call of an upstream while it runs: what the parts of the conversation share, and the way to its caller."""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from core.mcp.versions import Era
from core.resolve import ResolvedInstallation
from proxy.upstream.answers import Json
from proxy.upstream.deadlines import Deadline
from proxy.upstream.large_answers import Hold, Turns
from proxy.upstream.outbound import Outbound
from proxy.upstream.taken_up import StreamPosition
from proxy.upstream.transport import Requests


class CallersSide(Protocol):
    """The way to the caller while a call runs."""

    async def tell(self, method: str, params: Json) -> None:
        """Pass a notification on: progress, or what the server logs."""

    async def ask(self, method: str, params: Json) -> Json:
        """Ask what a legacy server asks; `result` or `error`, as its answer has it."""


@dataclass(frozen=True, slots=True)
class Owner:
    """On whose behalf the upstream is called; decides which session may be used."""

    principal_key: str
    session_jti: str | None = None
    hold: Hold = field(default=lambda _: None, compare=False)
    """Takes their room for a large answer that waits for its turn."""
    until: float = field(default=0.0, compare=False)
    """Monotonic time at which a call that is made again is given up; 0: as long from now as any call."""


@dataclass(slots=True)
class RunningCall:
    """What the parts of one call of an upstream share."""

    installation: ResolvedInstallation
    outbound: Outbound
    beside: CallersSide
    turns: Turns
    deadline: Deadline
    extend: float
    """Seconds that the call has from each message of progress on."""
    latest: float
    """Monotonic time beyond which no progress helps."""
    asked: int = 0
    fresh_left: int = 2
    """Sessions that may be opened for it: one more where the first was an older one, that may have been lost."""
    through: Requests | None = None
    """What it is sent through, where that is not the worker's transport."""
    in_new_session: bool = False
    """Whether its session was opened for it."""
    questions: set["asyncio.Task[None]"] = field(default_factory=set)
    """Of a legacy server, which wait for the caller."""
    headers: dict[str, str] | None = None
    """Headers of the request once sent, for what must follow it."""
    era: Era = Era.MODERN
    position: StreamPosition = field(default_factory=StreamPosition)
    """Where the event stream of its answer ended, if it did before the answer."""
