"""Names: bounded in time and number, judged before and at the socket."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from core.egress.addresses import AddressRefused
from core.egress.client import Egress
from core.egress.name_lookup import JudgedResolver, SystemResolver
from tests.fakes.outbound_calls import LOOPBACK, body_of, fault_of
from tests.fakes.scripted_upstream import ScriptedUpstream, ok


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    async with Egress(LOOPBACK) as client:
        yield client


class _Resolver(AbstractResolver):
    """Answers every name from a table; without an entry it never answers."""

    def __init__(self, table: dict[str, list[str]]) -> None:
        self._table = table

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if host not in self._table:
            raise OSError("no such name")
        return [
            ResolveResult(hostname=host, host=ip, port=port, family=family, proto=0, flags=0)
            for ip in self._table[host]
        ]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("name", ["unknown.test", "empty.test"])
async def test_a_name_without_an_address_is_refused_and_nothing_was_sent(name: str) -> None:
    async with Egress(LOOPBACK, resolver=_Resolver({"empty.test": []})) as egress:
        fault = await fault_of(egress, f"http://{name}")
    assert (fault.reason, fault.sent) == ("refused", False)


async def test_a_name_resolves_through_the_system(egress: Egress) -> None:
    async with ScriptedUpstream([ok(b"fine")]) as upstream:
        assert await body_of(egress, f"http://localhost:{upstream.port}") == b"fine"


class _NeverAnswers(_Resolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_name_server_that_does_not_answer_is_given_up() -> None:
    resolver = JudgedResolver(_NeverAnswers({}), LOOPBACK, seconds=0.05)
    with pytest.raises(OSError, match=r"no answer about the name slow\.test within 0\.05 s"):
        await resolver.resolve("slow.test")


async def test_only_permitted_addresses_of_a_name_come_back() -> None:
    resolver = JudgedResolver(_Resolver({"mixed.test": ["10.0.0.1", "127.0.0.1", "::1"]}), LOOPBACK)
    assert [answer["host"] for answer in await resolver.resolve("mixed.test")] == ["127.0.0.1"]


async def test_a_name_with_forbidden_addresses_alone_says_which_and_why() -> None:
    resolver = JudgedResolver(_Resolver({"inside.test": ["10.0.0.1", "::1"]}), LOOPBACK)
    with pytest.raises(AddressRefused, match=r"^inside\.test: 10\.0\.0\.1 is a private network"):
        await resolver.resolve("inside.test")


async def test_lookups_beyond_the_cap_are_refused_at_once_and_places_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = threading.Event()

    def blocked(*_: object) -> list[object]:
        go_on.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", blocked)
    resolver = SystemResolver()
    try:
        async with asyncio.TaskGroup() as tasks:
            waiting = [tasks.create_task(resolver.resolve("slow.test")) for _ in range(256)]
            await asyncio.sleep(0)
            with pytest.raises(OSError, match="already waiting"):
                await resolver.resolve("one.more.test")
            for task in waiting[100:]:
                task.cancel()  # a caller that gives up before its thread began frees its place
            await asyncio.gather(*waiting[100:], return_exceptions=True)
            late = tasks.create_task(resolver.resolve("one.more.test"))
            await asyncio.sleep(0)
            assert not late.done()
            go_on.set()
        assert await late == []
    finally:
        go_on.set()
        await resolver.close()
