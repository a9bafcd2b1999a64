from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from control.servers import log_lines
from control.servers.log_lines import FOLLOWED_S, GOES_ON, LINES_PER_S, LONGEST_LINE, paced
from tests.plugins.moved_clock import MovedClock


class Denied(Exception):
    pass


async def log(*lines: bytes) -> AsyncIterator[bytes]:
    for line in lines:
        yield line


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b"x\n"


async def following(lines: AsyncIterator[bytes]) -> bytes:
    return await anext(lines)


async def allowed() -> None:
    """Anybody may read."""


async def until_it_waits() -> None:
    """Let what was begun go on until it waits for the clock: it needs a few turns, and no time."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_lines_come_as_they_are() -> None:
    assert [line async for line in paced(log(b"one\n", b"two"), allowed)] == [b"one\n", b"two"]


async def test_a_long_line_is_cut_and_keeps_its_end() -> None:
    (line,) = [line async for line in paced(log(b"x" * 10 * LONGEST_LINE), allowed)]
    assert len(line) == LONGEST_LINE
    assert line.endswith(b" [cut]\n")


async def test_a_large_log_ends_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_lines, "MOST_BYTES", 5)
    assert [line async for line in paced(log(b"one\n", b"two\n", b"three\n"), allowed)] == [
        b"one\n", b"two\n", GOES_ON,
    ]  # fmt: skip


async def test_a_flood_is_slowed_down(clock: MovedClock) -> None:
    lines = paced(endless(), allowed)
    for _ in range(LINES_PER_S):
        await anext(lines)
    async with asyncio.TaskGroup() as group:
        waits = group.create_task(following(lines))
        await until_it_waits()
        assert not waits.done()
        clock.pass_by(1.1)
    assert waits.result() == b"x\n"


async def test_a_silent_log_is_not_followed_for_ever(clock: MovedClock) -> None:
    async def silent() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    async with asyncio.TaskGroup() as group:
        waits = group.create_task(following(paced(silent(), allowed)))
        await until_it_waits()
        clock.pass_by(FOLLOWED_S + 1)
    assert waits.result() == GOES_ON


async def test_who_may_not_read_any_more_reads_no_more(clock: MovedClock) -> None:
    async def denied() -> None:
        raise Denied

    lines = paced(endless(), denied)
    await anext(lines)
    clock.pass_by(16)
    with pytest.raises(Denied):
        await anext(lines)
