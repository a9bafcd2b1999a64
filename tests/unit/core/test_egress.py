"""The outbound client against real sockets on loopback: what it sends, what it makes of faults, what it forgets."""

import asyncio
import gzip
import socket
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from core.addresses import AddressPolicy, PublicUrl, parse_networks
from core.egress import Egress, UpstreamFault, never_reuse, next_chunk, read_capped
from tests.fakes.scripted_upstream import CLOSE, FOREVER, HANG, RESET, Script, ScriptedUpstream, head, ok

LOOPBACK = AddressPolicy(parse_networks("127.0.0.0/8"))
CAP = 256 * 1024


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    async with Egress(LOOPBACK) as client:
        yield client


@asynccontextmanager
async def post(
    egress: Egress,
    url: str,
    headers: dict[str, str] | None = None,
    deadline: float = 5.0,
    silence: float | None = None,
) -> AsyncIterator[aiohttp.ClientResponse]:
    async with egress.request(
        "POST", PublicUrl(url + "/mcp"), headers, b"{}", deadline=deadline, silence=silence
    ) as response:
        yield response


async def body_of(egress: Egress, url: str, deadline: float = 5.0, silence: float | None = None) -> bytes:
    async with post(egress, url, deadline=deadline, silence=silence) as response:
        return await read_capped(response, CAP)


async def fault_of(egress: Egress, url: str, deadline: float = 5.0, silence: float | None = None) -> UpstreamFault:
    with pytest.raises(UpstreamFault) as caught:
        await body_of(egress, url, deadline, silence)
    return caught.value


async def test_a_request_and_its_answer_pass(egress: Egress) -> None:
    async with ScriptedUpstream([ok(b"hello", b"X-One: 1")]) as upstream:
        async with post(egress, upstream.url, {"X-Api-Key": "k", "Content-Type": "application/json"}) as response:
            assert (response.status, response.headers["X-One"]) == (200, "1")
            assert await read_capped(response, CAP) == b"hello"
        sent = upstream.requests[0]
    assert sent.startswith(b"POST /mcp HTTP/1.1\r\n")
    assert sent.endswith(b"\r\n\r\n{}")
    assert b"\r\nX-Api-Key: k\r\n" in sent
    assert b"\r\nAccept-Encoding: identity\r\n" in sent


async def test_the_path_and_query_are_sent_as_they_were_checked(egress: Egress) -> None:
    async with ScriptedUpstream([ok(b"")]) as upstream:
        url = PublicUrl(upstream.url + "/a%2Fb/%7e//c;d?x=%20+&y='")
        async with egress.request("GET", url, deadline=5):
            pass
        assert upstream.requests[0].startswith(b"GET /a%2Fb/%7e//c;d?x=%20+&y=' HTTP/1.1\r\n")


async def test_a_sound_connection_is_used_again(egress: Egress) -> None:
    async with ScriptedUpstream(
        [ok(b"1")], [head(b"Transfer-Encoding: chunked"), b"1\r\n2\r\n0\r\n\r\n"]
    ) as upstream:
        for _ in range(4):
            await body_of(egress, upstream.url)
        assert (len(upstream.requests), upstream.connections) == (4, 1)


FAULTS: dict[str, tuple[Script, str]] = {
    "closes before the head": ([CLOSE], "broken"),
    "reset before the head": ([RESET], "broken"),
    "closes inside the head": ([b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE], "broken"),
    "reset mid-body": ([head(b"Content-Length: 100"), b"half", RESET], "broken"),
    "closes mid-body": ([head(b"Content-Length: 100"), b"half", CLOSE], "broken"),
    "truncated chunk": ([head(b"Transfer-Encoding: chunked"), b"ff\r\nhalf", CLOSE], "broken"),
    "missing last chunk": ([head(b"Transfer-Encoding: chunked"), b"4\r\nhalf\r\n", CLOSE], "broken"),
    "bad chunk size": ([head(b"Transfer-Encoding: chunked"), b"zz\r\nhalf\r\n0\r\n\r\n"], "broken"),
    "garbage": ([b"\x16\x03\x01 not http at all\r\n\r\n"], "broken"),
    "length and chunks": ([head(b"Content-Length: 3", b"Transfer-Encoding: chunked"), b"0\r\n\r\n"], "broken"),
    "two lengths": ([head(b"Content-Length: 3", b"Content-Length: 4"), b"abcd"], "broken"),
    "20 KiB header": ([head(b"X-Big: " + b"a" * 20_480, b"Content-Length: 0")], "broken"),
    "200 headers": ([head(*(b"X-%d: y" % n for n in range(200)), b"Content-Length: 0")], "broken"),
    "control character in a header": ([head(b"X-A: b\x00c", b"Content-Length: 0")], "broken"),
    "switching protocols": ([head(b"Upgrade: x", b"Connection: upgrade", status=b"101 Switching")], "broken"),
    "compressed": ([ok(gzip.compress(b"a" * 10_000_000), b"Content-Encoding: gzip")], "broken"),
    "unknown encoding": ([ok(b"x", b"Content-Encoding: br")], "broken"),
    "length above the cap": ([head(b"Content-Length: %d" % (CAP + 1)), b"a", HANG], "too_large"),
    "endless body": (
        [head(b"Transfer-Encoding: chunked"), b"10000\r\n" + b"a" * 65536 + b"\r\n", FOREVER],
        "too_large",
    ),
    "endless unframed body": ([head(b"Connection: close"), b"a" * 65536, FOREVER], "too_large"),
    "endless head": ([b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 500, FOREVER], "broken"),
    "one byte at a time": ([head(b"Content-Length: 9999"), b"a", 0.05, b"a", 0.05, b"a", HANG], "slow"),
    "silence": ([HANG], "slow"),
    "endless early hints": ([head(status=b"103 Early Hints"), FOREVER], "slow"),
}


@pytest.mark.parametrize(("script", "reason"), FAULTS.values(), ids=FAULTS.keys())
async def test_a_faulty_answer_has_its_reason_and_its_connection_is_not_used_again(
    egress: Egress, script: Script, reason: str
) -> None:
    async with ScriptedUpstream(script, [ok(b"fine")]) as upstream:
        fault = await fault_of(egress, upstream.url, deadline=0.3 if reason == "slow" else 5)
        assert (fault.reason, fault.sent) == (reason, True), fault.detail
        assert await body_of(egress, upstream.url) == b"fine"
        assert upstream.connections == 2


async def test_the_deadline_covers_the_callers_reading_and_is_kept(egress: Egress) -> None:
    drip: list[bytes | float] = [head(b"Content-Length: 9999"), *([b"a", 0.02] * 200)]
    async with ScriptedUpstream(drip) as upstream:
        before = time.monotonic()
        fault = await fault_of(egress, upstream.url, deadline=0.3)
        assert fault.reason == "slow"
        assert 0.29 <= time.monotonic() - before < 2.0


async def test_silence_is_bounded_separately_from_the_deadline(egress: Egress) -> None:
    async with ScriptedUpstream([head(b"Content-Length: 5"), b"a", HANG]) as upstream:
        fault = await fault_of(egress, upstream.url, deadline=60, silence=0.1)
        assert (fault.reason, fault.sent) == ("slow", True)


async def test_memory_stays_near_the_cap_when_a_body_has_no_end(egress: Egress) -> None:
    async with ScriptedUpstream([head(b"Connection: close"), b"a" * 65536, FOREVER]) as upstream:
        tracemalloc.start()
        try:
            assert (await fault_of(egress, upstream.url)).reason == "too_large"
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < CAP + 10 * 1024 * 1024


async def test_a_refused_connection_is_known_to_have_sent_nothing(egress: Egress) -> None:
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        fault = await fault_of(egress, f"http://127.0.0.1:{placeholder.getsockname()[1]}")
    assert (fault.reason, fault.sent) == ("refused", False)


async def test_a_peer_that_hangs_up_on_accept_may_have_been_sent_something(egress: Egress) -> None:
    async with ScriptedUpstream(on_accept=[RESET]) as upstream:
        fault = await fault_of(egress, upstream.url)
        assert fault.reason in {"refused", "broken"}  # which of them is a race between their RST and our write
        assert fault.sent


async def test_a_connection_that_is_never_accepted_ends_by_the_connect_deadline() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):  # fills the backlog
            async with Egress(LOOPBACK, connect_seconds=0.2) as egress:
                fault = await fault_of(egress, f"http://127.0.0.1:{full.getsockname()[1]}")
    assert (fault.reason, fault.sent) == ("slow", False)


async def test_waiting_for_a_place_in_a_full_pool_is_bounded() -> None:
    async with ScriptedUpstream([HANG]) as upstream, Egress(LOOPBACK, per_host=1, connect_seconds=0.1) as egress:
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(fault_of(egress, upstream.url, deadline=1))
            await asyncio.sleep(0.05)
            second = await fault_of(egress, upstream.url, deadline=1)
            assert (second.reason, second.sent) == ("slow", False)
        assert first.result().sent


@pytest.mark.parametrize("after", ["at once", "later"])
async def test_bytes_after_an_answer_never_reach_the_next_caller(egress: Egress, after: str) -> None:
    stray = ok(b"answer of somebody else")
    script: Script = [ok(b"mine") + stray] if after == "at once" else [ok(b"mine"), 0.02, stray]
    async with ScriptedUpstream(script, [ok(b"yours")]) as upstream:
        assert await body_of(egress, upstream.url) == b"mine"
        await asyncio.sleep(0.1)
        assert await body_of(egress, upstream.url) == b"yours"
        assert upstream.connections == 2


async def test_unread_bytes_in_the_kernel_spoil_an_idle_connection(egress: Egress) -> None:
    async with ScriptedUpstream([ok(b"mine")], [ok(b"yours")]) as upstream:
        async with post(egress, upstream.url) as response:
            assert await read_capped(response, CAP) == b"mine"
        # The loop has no turn between the peer's write and our next request: only the kernel knows of the bytes.
        upstream.write_to_all(ok(b"answer of somebody else"))
        assert await body_of(egress, upstream.url) == b"yours"


async def judged_wrong(egress: Egress, url: str) -> None:
    async with post(egress, url) as response:
        await read_capped(response, CAP)
        await asyncio.sleep(0.01)
        raise UpstreamFault("broken", sent=True)


async def test_an_answer_found_wrong_after_its_last_byte_spends_its_connection(egress: Egress) -> None:
    async with ScriptedUpstream([ok(b"wrong id")]) as upstream:
        for _ in range(2):
            with pytest.raises(UpstreamFault):
                await judged_wrong(egress, upstream.url)
        assert upstream.connections == 2


async def test_a_caller_can_ask_that_a_connection_is_not_used_again(egress: Egress) -> None:
    async with ScriptedUpstream([ok(b"odd")]) as upstream:
        for _ in range(2):
            async with post(egress, upstream.url) as response:
                await read_capped(response, CAP)
                never_reuse(response)
        assert upstream.connections == 2


async def test_a_block_left_without_reading_the_body_spends_its_connection(egress: Egress) -> None:
    async with ScriptedUpstream([head(b"Content-Length: 3"), 0.05, b"abc"]) as upstream:
        for _ in range(2):
            async with post(egress, upstream.url):
                pass
        assert upstream.connections == 2


async def test_a_cancelled_caller_leaves_nothing_behind(egress: Egress) -> None:
    async with ScriptedUpstream([HANG], [ok(b"fine")]) as upstream:
        async with asyncio.TaskGroup() as tasks:
            caller = tasks.create_task(body_of(egress, upstream.url))
            await upstream.seen(1)
            caller.cancel()
        assert caller.cancelled()
        assert await body_of(egress, upstream.url) == b"fine"
        assert upstream.connections == 2


async def test_a_get_is_not_sent_again_behind_our_back(egress: Egress) -> None:
    async with ScriptedUpstream([ok(b"")], [CLOSE], [ok(b"")]) as upstream:
        async with egress.request("GET", PublicUrl(upstream.url + "/"), deadline=5):
            pass
        with pytest.raises(UpstreamFault):
            async with egress.request("GET", PublicUrl(upstream.url + "/"), deadline=5):
                pass
        assert len(upstream.requests) == 2


async def test_cookies_of_one_call_are_not_sent_with_the_next(egress: Egress) -> None:
    async with ScriptedUpstream([ok(b"", b"Set-Cookie: tenant=a; Path=/")]) as upstream:
        for _ in range(2):
            await body_of(egress, upstream.url)
        assert b"tenant" not in upstream.requests[1].lower()


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"303 See Other", b"307 Temporary", b"308 Permanent"])
async def test_a_redirect_comes_back_unfollowed_and_takes_no_credential_along(egress: Egress, status: bytes) -> None:
    async with ScriptedUpstream([ok(b"")], host="127.0.0.2") as elsewhere:
        location = b"Location: " + elsewhere.url.encode()
        async with ScriptedUpstream([ok(b"", location, status=status)]) as upstream:
            for _ in range(2):
                async with post(egress, upstream.url, {"X-Api-Key": "secret"}) as response:
                    assert response.status == int(status[:3])
            assert upstream.connections == 2
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Tenant": "adm\udcffin"},
        {"X-Tenant": "caf\u00e9"},
        {"X-Tenant": "a\r\nX-Other: b"},
        {"X-Tenant": "a\x00"},
        {"X Tenant": "a"},
        {"": "a"},
        {"Host": "other.example"},
        {"Content-Length": "0"},
        {"Transfer-Encoding": "chunked"},
        {"accept-encoding": "gzip"},
    ],
    ids=lambda headers: next(iter(headers)) + "=" + ascii(next(iter(headers.values()))),
)
async def test_a_header_that_would_arrive_changed_or_change_the_framing_is_not_sent(
    egress: Egress, headers: dict[str, str]
) -> None:
    async with ScriptedUpstream([ok(b"")]) as upstream:
        with pytest.raises(ValueError, match="header"):
            async with post(egress, upstream.url, headers):
                pass
        assert upstream.connections == 0


async def test_a_body_can_be_read_as_it_comes(egress: Egress) -> None:
    async with ScriptedUpstream([head(b"Connection: close"), b"one", 0.05, b"two", CLOSE]) as upstream:
        pieces = []
        async with post(egress, upstream.url) as response:
            while piece := await next_chunk(response):
                pieces.append(piece)
    assert b"".join(pieces) == b"onetwo"
    assert len(pieces) == 2


async def test_an_error_of_the_callers_own_passes_unchanged(egress: Egress) -> None:
    async with ScriptedUpstream([ok(b"")]) as upstream:
        for error in (TimeoutError("mine"), OSError("mine"), KeyError("mine")):
            with pytest.raises(type(error), match="mine"):
                async with post(egress, upstream.url):
                    raise error


async def test_one_bad_upstream_leaves_the_others_alone(egress: Egress) -> None:
    async with (
        ScriptedUpstream([HANG]) as bad,
        ScriptedUpstream([ok(b"fine")], host="127.0.0.2") as good,
        asyncio.TaskGroup() as tasks,
    ):
        hanging = [tasks.create_task(fault_of(egress, bad.url, deadline=1)) for _ in range(20)]
        for _ in range(20):
            assert await body_of(egress, good.url) == b"fine"
        for task in hanging:
            assert (await task).reason == "slow"


def test_a_detail_is_cut_and_stays_out_of_text_and_repr() -> None:
    fault = UpstreamFault("broken", sent=True, detail="s3cret" * 100)
    assert len(fault.detail) == 256
    assert "s3cret" not in f"{fault} {fault!r}"


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


async def test_environment_names_resolve_through_the_system(egress: Egress) -> None:
    async with ScriptedUpstream([ok(b"fine")]) as upstream:
        assert await body_of(egress, f"http://localhost:{upstream.port}") == b"fine"


async def test_a_missing_ca_bundle_is_named_at_start(tmp_path: object) -> None:
    with pytest.raises(ValueError, match="ARCHWAY_CA_BUNDLE"):
        Egress(LOOPBACK, ca_bundle=f"{tmp_path}/none.pem")


@pytest.mark.parametrize(
    "proxy", ["pw@proxy:3128", "socks5://u:pw@proxy:1080", "http://u:pw@/", "http://u:pw@x:port/"]
)
async def test_a_proxy_address_that_cannot_be_used_is_named_at_start_without_its_password(proxy: str) -> None:
    with pytest.raises(ValueError, match="HTTPS_PROXY") as caught:
        Egress(LOOPBACK, proxy=proxy)
    assert "pw" not in str(caught.value)


async def test_a_proxy_does_not_open_addresses_that_a_url_shows() -> None:
    async with ScriptedUpstream([ok(b"")]) as proxy, Egress(AddressPolicy(), proxy=proxy.url) as egress:
        for host in ("127.0.0.1", "[::1]", "localhost", "0x7f.1", "169.254.169.254"):
            fault = await fault_of(egress, f"http://{host}")
            assert (fault.reason, fault.sent) == ("forbidden_address", False)
        assert proxy.requests == []
