"""Requests that are too large, too slow, or for a path that only looks like one of ours (rows H-7, H-8)."""

import asyncio
import gzip
import logging
import resource

import pytest

from proxy.edge import body_rules
from tests.fakes.raw_http import RawAnswer, exchange, read_answer, request_bytes
from tests.plugins.moved_clock import MovedClock
from tests.proxy.conftest import MakeRig, Rig

MIB = 1 << 20
PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'


def post(
    rig: Rig, body: bytes = b"", *extra: tuple[str, str], target: str | bytes = "/v1/mcp/g", method: str = "POST"
) -> bytes:
    headers = [
        ("Host", "127.0.0.1"),
        ("Authorization", f"Bearer {rig.token}"),
        ("Content-Type", "application/json"),
        *extra,
    ]
    return request_bytes(method, target, headers, body)


def is_refused(answer: RawAnswer, status: int, *, closed: bool = True) -> None:
    assert answer.status == status, answer
    assert answer.json["id"] is None
    assert answer.json["error"]["message"]
    assert answer.header("X-Request-Id")
    assert answer.closed is closed


async def is_healthy(rig: Rig) -> bool:
    return (await exchange(rig.port, post(rig, PING))).json == {"jsonrpc": "2.0", "id": 1, "result": {}}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([("X-Long", "a" * 9216)], id="H-7: 9 KiB header"),
        pytest.param([(f"X-{number}", "1") for number in range(500)], id="H-7: 500 headers"),
    ],
)
async def test_headers_beyond_their_limits_are_refused_without_a_traceback(
    rig: Rig, headers: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    await rig.serve([])
    with caplog.at_level(logging.INFO):
        answer = await exchange(rig.port, post(rig, PING, *headers))

    is_refused(answer, 400)
    assert b"aaaa" not in answer.body
    assert [record.levelno for record in caplog.records if record.exc_info or record.levelno > logging.INFO] == []
    assert await is_healthy(rig)


@pytest.mark.parametrize("size", [pytest.param(2 * MIB, id="H-7: 2 MiB body")])
async def test_a_body_beyond_the_cap_is_refused_however_it_is_framed(make_rig: MakeRig, size: int) -> None:
    async with make_rig(max_body=MIB) as rig:
        await rig.serve([])
        chunk = b"%x\r\n%b\r\n" % (64 << 10, b" " * (64 << 10))

        is_refused(await exchange(rig.port, post(rig, b" " * size)), 413)
        in_chunks = post(rig, b"", ("Transfer-Encoding", "chunked"))
        is_refused(await exchange(rig.port, in_chunks, *[chunk] * (size >> 16), b"0\r\n\r\n"), 413)

        assert await is_healthy(rig)
        assert rig.worker.deps.usage.bytes_in_flight == 0


async def test_a_body_that_only_claims_to_be_too_large_is_refused_before_it_comes(make_rig: MakeRig) -> None:
    async with make_rig(max_body=MIB) as rig:
        await rig.serve([])
        answer = await exchange(rig.port, post(rig, b"", ("Content-Length", str(2 * MIB))))
        is_refused(answer, 413)


@pytest.mark.parametrize("unpacked_mib", [pytest.param(200, id="H-7: gzip bomb")])
async def test_a_packed_body_is_never_unpacked(rig: Rig, unpacked_mib: int) -> None:
    await rig.serve([])
    bomb = gzip.compress(b"0" * (unpacked_mib * MIB), 9)
    assert len(bomb) < MIB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    answer = await exchange(rig.port, post(rig, bomb, ("Content-Encoding", "gzip")))

    is_refused(answer, 415)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10 < 20 * MIB
    assert await is_healthy(rig)


@pytest.mark.parametrize("pause", [pytest.param(0.05, id="H-7: slow headers")])
async def test_headers_that_drip_are_refused_when_their_time_is_over(make_rig: MakeRig, pause: float) -> None:
    async with make_rig(header_seconds=0.3) as rig:
        await rig.serve([])
        dripping: list[bytes | float] = [b"POST /v1/mcp/g HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "]
        dripping += [b"a", pause] * 200

        is_refused(await exchange(rig.port, *dripping), 408)
        assert await is_healthy(rig)


async def test_the_time_of_headers_ends_with_them(
    make_rig: MakeRig, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of the headers must not cut off a body, a slow call, or the wait for the next request."""
    monkeypatch.setattr(body_rules, "SLACK_S", 100.0)
    async with make_rig(header_seconds=30, body_seconds=100) as rig:
        await rig.serve([])
        request = post(rig, PING)
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
        for piece in (request[:40], request[40:-10]):
            writer.write(piece)
            await asyncio.sleep(0.05)
        clock.pass_by(40)
        await asyncio.sleep(0.05)
        writer.write(request[-10:])
        assert (await read_answer(reader)).status == 200
        writer.close()


@pytest.mark.parametrize("pause", [pytest.param(0.05, id="H-7: slow body")])
async def test_a_body_that_drips_is_refused_when_its_time_is_over(make_rig: MakeRig, pause: float) -> None:
    async with make_rig(body_seconds=0.3) as rig:
        await rig.serve([])
        head = post(rig, b"", ("Content-Length", "1000"))

        is_refused(await exchange(rig.port, head, *[b" ", pause] * 200), 408)
        assert await is_healthy(rig)


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("/v1/mcp/../mcp/g", id="H-8: /../"),
        pytest.param("/v1/mcp/%2e%2e/mcp/g", id="H-8: %2e%2e"),
        pytest.param("/v1/mcp%2fg", id="H-8: %2f"),
        pytest.param("/v1/mcp/g%00", id="H-8: %00"),
        pytest.param("//v1/mcp/g", id="H-8: //"),
        pytest.param("/v1/mcp/g;x", id="H-8: ;x"),
        pytest.param("/v1/mcp/g.", id="H-8: trailing dot"),
        pytest.param("/v1/MCP/G", id="H-8: case"),
    ],
)
async def test_a_path_that_is_not_exactly_ours_is_not_found(rig: Rig, target: str) -> None:
    await rig.serve([])
    for method in ("POST", "GET", "DELETE"):
        answer = await exchange(rig.port, post(rig, PING if method == "POST" else b"", target=target, method=method))
        is_refused(answer, 404, closed=method == "POST")
    assert await is_healthy(rig)


@pytest.mark.parametrize(
    "target",
    [
        "/v1/mcp/g//",
        "/v1/mcp/g/x",
        "/v1/mcp/g?x=1",
        "/v1/mcp/",
        "/health/",
        "/health%20",
        "/healthz",
    ],
)
async def test_nor_is_anything_beside_a_route(rig: Rig, target: str) -> None:
    await rig.serve([])
    is_refused(await exchange(rig.port, post(rig, target=target, method="GET")), 404, closed=False)


@pytest.mark.parametrize("target", ["/v1/mcp/é".encode(), b"/v1/mcp/\xff", b"/v1/mcp/g\x00"])
async def test_a_path_that_is_not_ascii_is_no_http(rig: Rig, target: bytes) -> None:
    await rig.serve([])
    is_refused(await exchange(rig.port, post(rig, target=target, method="GET")), 400)


@pytest.mark.parametrize("target", [pytest.param("/api/v1/users", id="H-8: admin on another port")])
async def test_the_admin_api_is_not_on_the_public_listener(rig: Rig, target: str) -> None:
    await rig.serve([])
    asked = len(rig.control.asked)
    for path in (target, "/v1/mcp/../../api/v1/users", "/metrics", "/internal/probe"):
        is_refused(await exchange(rig.port, post(rig, target=path, method="GET")), 404, closed=False)
    assert rig.control.asked[asked:] == []
