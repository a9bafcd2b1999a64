"""Opening connections: names, addresses, TLS, and the words for each way to fail."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable

import pytest
import uvloop

from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import tls_context
from tests.fakes.own_authority import Certificate, issue
from tests.fakes.pool_calls import Pool, body_of, fault_of
from tests.fakes.scripted_names import ScriptedNames
from tests.fakes.scripted_upstream import CLOSE, RESET, ScriptedUpstream, head, ok

INSIDE, OUTSIDE = "127.0.0.1", "127.0.0.2"
ONE_OPEN = AddressPolicy(parse_networks("127.0.0.2/32"))


@pytest.fixture
async def outside() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream([ok(b"outside", b"Connection: close")], host=OUTSIDE) as server:
        yield server


async def test_a_name_is_asked_once_for_all_who_wait_and_then_remembered(outside: ScriptedUpstream) -> None:
    names = ScriptedNames([OUTSIDE], slow=0.02)
    async with Pool(ONE_OPEN, resolver=names) as pool:
        for _ in range(2):
            await asyncio.gather(*(body_of(pool, f"http://far.test:{outside.port}") for _ in range(20)))
    assert names.questions == 1


async def test_a_name_is_asked_again_when_its_time_is_over(outside: ScriptedUpstream) -> None:
    names = ScriptedNames([OUTSIDE])
    async with Pool(ONE_OPEN, resolver=names, name_seconds=0) as pool:
        for _ in range(3):
            await body_of(pool, f"http://far.test:{outside.port}")
    assert names.questions == 3


async def test_a_caller_that_leaves_does_not_take_the_lookup_from_the_others(outside: ScriptedUpstream) -> None:
    names = ScriptedNames([OUTSIDE], slow=0.05)
    async with Pool(ONE_OPEN, resolver=names) as pool, asyncio.TaskGroup() as tasks:
        leaving, staying = (tasks.create_task(body_of(pool, f"http://far.test:{outside.port}")) for _ in range(2))
        await asyncio.sleep(0.01)
        leaving.cancel()
    assert (names.questions, staying.result()) == (1, b"outside")


async def test_the_policy_judges_the_address_that_is_connected(outside: ScriptedUpstream) -> None:
    async with ScriptedUpstream([ok(b"inside")], host=INSIDE) as inside:
        async with Pool(ONE_OPEN, resolver=ScriptedNames([INSIDE])) as pool:
            for host in (INSIDE, "inside.test"):
                fault = await fault_of(pool, f"http://{host}:{inside.port}")
                assert (fault.reason, fault.sent) == ("forbidden_address", False)
                assert fault.detail.endswith("127.0.0.1 is loopback; ARCHWAY_UPSTREAM_NETWORKS can open it")
        assert inside.connections == 0


async def test_of_mixed_answers_only_the_permitted_address_is_connected(outside: ScriptedUpstream) -> None:
    for answer in (["::1", OUTSIDE], [OUTSIDE, "::1"], [INSIDE, "::1", OUTSIDE]):
        async with (
            ScriptedUpstream([ok(b"inside")], host=INSIDE, port=outside.port) as inside,
            Pool(ONE_OPEN, resolver=ScriptedNames(answer)) as pool,
        ):
            assert await body_of(pool, f"http://mixed.test:{outside.port}") == b"outside"
            assert inside.connections == 0


async def test_an_address_that_does_not_answer_gives_way_to_the_next(outside: ScriptedUpstream) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.3", outside.port))
        silent.listen(0)
        with socket.create_connection(silent.getsockname()):  # fills the backlog
            both = AddressPolicy(parse_networks("127.0.0.2/31"))
            async with Pool(both, resolver=ScriptedNames(["127.0.0.3", OUTSIDE])) as pool:
                assert await body_of(pool, f"http://two.test:{outside.port}") == b"outside"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Certificate]:
    folder = tmp_path_factory.mktemp("certificates")
    return lambda name: issue(folder, name)


async def test_a_server_of_our_own_authority_is_believed(certificate: Callable[[str], Certificate]) -> None:
    own = certificate("first.test")
    own.server.set_alpn_protocols(["h2", "http/1.1"])
    async with (
        ScriptedUpstream([ok(b"first")], [head(), b"to the end", CLOSE], host=OUTSIDE, tls=own.server) as server,
        Pool(ONE_OPEN, tls_context(own.pem), resolver=ScriptedNames([OUTSIDE])) as pool,
    ):
        assert await body_of(pool, f"https://first.test:{server.port}") == b"first"
        assert await body_of(pool, f"https://first.test:{server.port}") == b"to the end"
        assert server.connections == 1


async def test_a_large_answer_over_tls_is_read_whole_and_its_connection_used_again(
    certificate: Callable[[str], Certificate],
) -> None:
    own, body = certificate("first.test"), b"a" * 200_000
    async with (
        ScriptedUpstream([ok(body)], host=OUTSIDE, tls=own.server) as server,
        Pool(ONE_OPEN, tls_context(own.pem), resolver=ScriptedNames([OUTSIDE])) as pool,
    ):
        for _ in range(3):
            assert await body_of(pool, f"https://first.test:{server.port}") == body
        assert server.connections == 1


def test_tls_on_the_loop_of_a_worker(certificate: Callable[[str], Certificate]) -> None:
    own, body = certificate("first.test"), b"a" * 200_000

    async def exchange() -> None:
        async with (
            ScriptedUpstream(
                [ok(body)], [head(), body, CLOSE], [b"HTTP/1.1 2", RESET], host=OUTSIDE, tls=own.server
            ) as up,
            Pool(ONE_OPEN, tls_context(own.pem), resolver=ScriptedNames([OUTSIDE])) as pool,
        ):
            url = f"https://first.test:{up.port}"
            assert [await body_of(pool, url) for _ in range(2)] == [body, body]
            assert (await fault_of(pool, url)).reason == "broken"
            assert (await fault_of(pool, f"https://second.test:{up.port}")).reason == "tls"
            assert up.connections == 2  # a handshake that fails is none
        assert pool.places == 0

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(exchange())


async def test_a_connection_for_one_name_never_serves_another_on_the_same_address(
    certificate: Callable[[str], Certificate],
) -> None:
    own = certificate("first.test")
    async with (
        ScriptedUpstream([ok(b"first")], host=OUTSIDE, tls=own.server) as server,
        Pool(ONE_OPEN, tls_context(own.pem), resolver=ScriptedNames([OUTSIDE])) as pool,
    ):
        assert await body_of(pool, f"https://first.test:{server.port}") == b"first"
        fault = await fault_of(pool, f"https://second.test:{server.port}")
        assert (fault.reason, fault.sent) == ("tls", False)
        assert fault.detail.startswith("CertificateRefused: second.test")
        assert (len(server.requests), pool.places) == (1, 1)


async def test_a_stranger_and_a_port_without_tls_are_told_apart(
    certificate: Callable[[str], Certificate],
) -> None:
    own = certificate("first.test")
    async with (
        ScriptedUpstream([ok(b"x")], host=OUTSIDE, tls=own.server) as server,
        ScriptedUpstream(host=OUTSIDE, on_accept=[b"220 mail.test ready\r\n"]) as without,
        Pool(ONE_OPEN, tls_context(None), resolver=ScriptedNames([OUTSIDE])) as pool,
    ):
        stranger = await fault_of(pool, f"https://first.test:{server.port}")
        assert stranger.detail.startswith("CertificateRefused: first.test")
        assert "certificate verify failed: self-signed certificate" in stranger.detail
        plain = await fault_of(pool, f"https://first.test:{without.port}")
        assert (plain.reason, plain.sent, pool.places) == ("tls", False, 0)
        assert plain.detail.startswith("HandshakeFailed: first.test")


async def test_tls_that_never_answers_ends_by_the_connect_deadline() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.transport.abort()
        over.set()

    over = asyncio.Event()
    server = await asyncio.start_server(say_nothing, OUTSIDE, 0)
    async with server, Pool(ONE_OPEN, connect_seconds=0.1) as pool:
        fault = await fault_of(pool, f"https://{OUTSIDE}:{server.sockets[0].getsockname()[1]}")
        assert (fault.reason, fault.sent, pool.places) == ("slow", False, 0)
        await asyncio.wait_for(over.wait(), 30)
        await asyncio.sleep(0)


def test_the_context_verifies_names_and_speaks_nothing_but_http_1_1() -> None:
    context = tls_context(None)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
