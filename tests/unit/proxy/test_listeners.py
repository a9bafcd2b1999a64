import asyncio

import aiohttp
import pytest

from proxy.listeners import listening
from proxy.worker import Worker
from tests.fakes.proxy_parts import proxy_settings


@pytest.fixture
async def worker():
    made = Worker(proxy_settings(proxy_listen="127.0.0.1:0", grace_seconds=20.0))
    yield made
    await made.close()


def url(ports: tuple[int, int]) -> str:
    return f"http://127.0.0.1:{ports[0]}/health"


async def test_a_caller_who_is_idle_when_the_worker_leaves_has_one_more_answer_and_is_told_that_it_is_the_last(
    worker: Worker,
) -> None:
    leaving = asyncio.Event()
    bound: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()

    async def serve() -> None:
        async with listening(worker.deps, worker.internal) as ports:
            bound.set_result(ports)
            await leaving.wait()

    async with aiohttp.ClientSession() as client, asyncio.timeout(30), asyncio.TaskGroup() as group:
        serving = group.create_task(serve())
        where = await bound
        async with client.get(url(where)) as answer:
            assert answer.headers.get("Connection", "") != "close"
        leaving.set()
        await asyncio.sleep(0.3)
        assert not serving.done(), "an idle connection was closed"
        async with client.get(url(where)) as answer:
            assert answer.status == 200
            assert answer.headers["Connection"] == "close"
        await serving  # at once: nobody is left, and the grace is 20 s


async def test_the_end_of_the_grace_ends_idle_connections(worker: Worker) -> None:
    worker.deps.settings = proxy_settings(proxy_listen="127.0.0.1:0", grace_seconds=0.3)
    async with (
        aiohttp.ClientSession() as client,
        asyncio.timeout(30),
        listening(worker.deps, worker.internal) as where,
        client.get(url(where)) as answer,
    ):
        assert answer.status == 200
