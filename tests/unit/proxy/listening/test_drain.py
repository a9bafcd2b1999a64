import asyncio
from dataclasses import dataclass

from proxy.listening.drain import GOODBYE, LONGEST_GOODBYE_S, emptied, goodbye_after, look_within


@dataclass
class Callers:
    open_connections: int


def in_seconds(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def test_goodbyes_are_spread_over_half_the_grace():
    moments = sorted(goodbye_after(8.0) for _ in range(400))
    assert moments[0] >= 0.0
    assert moments[-1] <= 4.0
    assert moments[-1] - moments[0] > 2.0


def test_a_long_grace_does_not_make_goodbyes_late():
    assert all(goodbye_after(3600.0) <= LONGEST_GOODBYE_S for _ in range(100))


def test_a_stream_that_looks_and_then_waits_is_done_within_the_grace():
    assert look_within(0.4, 1.0) + 0.4 / 2 < 0.4
    assert look_within(30.0, 1.0) == 1.0


def test_the_goodbye_is_no_message_and_says_when_to_come_again():
    assert GOODBYE.startswith(b":")
    assert GOODBYE.endswith(b"\nretry: 1000\n\n")


async def test_the_wait_ends_when_the_last_caller_has_left():
    callers = Callers(1)
    asyncio.get_running_loop().call_later(0.05, setattr, callers, "open_connections", 0)
    async with asyncio.timeout(30):
        assert await emptied(callers, in_seconds(60.0))


async def test_the_wait_ends_with_the_grace():
    assert not await emptied(Callers(1), in_seconds(0.05))
