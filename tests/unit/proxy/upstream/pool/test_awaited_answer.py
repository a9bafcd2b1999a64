"""What an answer lets go of when its request is over; how it is waited for is in `test_pool_connection.py`."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from core.egress.faults import UpstreamFault
from proxy.upstream.pool.awaited_answer import PoolAnswer
from proxy.upstream.pool.head import KnownHeads
from tests.fakes.scripted_upstream import head

CHUNKED = head(b"Transfer-Encoding: chunked")
HALF = b"ff\r\n" + b"x" * 0x20


class NoLine:
    """A connection of which nothing is asked but that it be told."""

    def __init__(self) -> None:
        self.finishing = False

    def settle(self, idle_seconds: float) -> None:
        self.finishing = False

    def finish(self) -> None:
        self.finishing = True

    def read_on(self) -> None: ...


class Noticed(PoolAnswer):
    """Without slots, so that it can be referred to weakly."""


@pytest.fixture
def line() -> Iterator[NoLine]:
    """And no garbage collector."""
    gc.disable()
    yield NoLine()
    gc.enable()


def lost() -> UpstreamFault:
    return UpstreamFault("broken", sent=True)


async def test_an_answer_that_was_given_up_in_the_middle_is_gone_with_its_caller(line: NoLine) -> None:
    answer = Noticed(line, KnownHeads())
    answer.feed(CHUNKED + HALF)
    gone = weakref.ref(answer)
    answer.settle(sound=False)
    assert not answer.buffered
    del answer
    assert gone() is None


async def test_an_answer_whose_fault_was_raised_is_gone_with_its_caller(line: NoLine) -> None:
    answer = Noticed(line, KnownHeads())
    answer.fail(lost())
    with pytest.raises(UpstreamFault):
        await answer.begun()
    gone = weakref.ref(answer)
    answer.settle(sound=False)
    del answer
    assert gone() is None


async def test_a_stream_that_was_left_and_never_ended_is_gone_with_its_connection(line: NoLine) -> None:
    answer = Noticed(line, KnownHeads())
    answer.feed(CHUNKED)
    answer.may_be_left(all_read=True)
    answer.settle(sound=True)
    assert line.finishing
    gone = weakref.ref(answer)
    answer.fail(lost())
    del answer
    assert gone() is None
