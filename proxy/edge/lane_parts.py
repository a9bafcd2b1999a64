"""What all connections of one worker's fast lane share. `FastLane` makes it and hands it to each of them."""

from dataclasses import dataclass, field
from typing import Protocol

from proxy.deps import Deps
from proxy.edge.answer_bytes import AnswerHeads
from proxy.edge.head_memory import HeadMemory
from proxy.edge.head_rules import HeadReader
from proxy.edge.listener import Listener
from proxy.edge.overload_refusals import OverloadRefusals
from proxy.edge.stream_sweep import StreamSweep
from proxy.plans.plans import Plans


class OpenConnection(Protocol):
    """A connection as its lane sees it, which has to end it."""

    @property
    def busy(self) -> bool:
        """Whether something is being answered."""

    def close_if_idle(self) -> None:
        """Close it if nothing is being answered."""

    def cut(self) -> None:
        """End it at once, whatever is unsent."""


@dataclass  # without slots, since it is compiled
class LaneParts:
    """The parts that all connections of one worker's fast lane share."""

    deps: Deps
    listener: Listener
    """The aiohttp lane's: it gets every connection on which something comes that is not plain."""
    sweep: StreamSweep
    answer_heads: AnswerHeads
    refusals: OverloadRefusals
    heads: HeadReader = field(default_factory=HeadReader)
    memory: HeadMemory = field(default_factory=HeadMemory)
    plans: Plans = field(init=False)
    connections: set[OpenConnection] = field(default_factory=set)
    """Those that are open and were not handed over."""

    def __post_init__(self) -> None:
        self.plans = Plans(self.deps, self.memory.heads)
