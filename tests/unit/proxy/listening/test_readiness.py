import asyncio
import os

from proxy.listening.readiness import tell_ready


async def test_one_byte_is_written_when_it_is_ready_and_not_before():
    hear, say = os.pipe()
    os.set_blocking(hear, False)
    ready = asyncio.Event()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        telling = group.create_task(tell_ready(say, ready.is_set))
        await asyncio.sleep(0.05)
        assert not telling.done()
        ready.set()
    assert os.read(hear, 8) == b"1"
    assert os.read(hear, 8) == b""  # and it is closed
    os.close(hear)


async def test_a_supervisor_that_is_gone_does_not_matter():
    hear, say = os.pipe()
    os.close(hear)
    await tell_ready(say, lambda: True)


async def test_without_a_pipe_there_is_nothing_to_tell():
    await tell_ready(-1, lambda: False)
