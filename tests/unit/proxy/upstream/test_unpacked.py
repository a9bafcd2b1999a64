"""Answers that came compressed: inflated in pieces and within their cap, through both transports."""

import gzip
import os
import tracemalloc
import zlib

import orjson
import pytest

from core.egress.faults import UpstreamFault
from proxy.upstream.answers import messages, whole_answer
from proxy.upstream.transport import Transport
from proxy.upstream.unsuccessful import read_unsuccessful
from tests.fakes.pool_calls import post
from tests.fakes.scripted_upstream import Script, ScriptedUpstream, head, ok

MESSAGE = {"jsonrpc": "2.0", "id": 7, "result": {"text": os.urandom(60_000).hex(), "more": "x" * 300_000}}
BODY = orjson.dumps(MESSAGE)
JSON, SSE = b"Content-Type: application/json", b"Content-Type: text/event-stream"
CAP = 1 << 20


def _bare(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKED = {
    "gzip": (b"gzip", gzip.compress(BODY)),
    "two members": (b"x-gzip", gzip.compress(BODY[:1000]) + gzip.compress(BODY[1000:])),
    "deflate": (b"deflate", zlib.compress(BODY)),
    "bare deflate": (b"Deflate", _bare(BODY)),
}


def in_chunks(body: bytes, *lines: bytes, size: int = 777) -> Script:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return [
        head(*lines, b"Transfer-Encoding: chunked"),
        b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n",
    ]


@pytest.mark.parametrize(("coding", "packed"), PACKED.values(), ids=PACKED)
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_compressed_body_is_read_and_its_connection_used_again(
    transport: Transport, coding: bytes, packed: bytes, chunked: bool
) -> None:
    line = b"Content-Encoding: " + coding
    script = in_chunks(packed, JSON, line) if chunked else [ok(packed, JSON, line)]
    async with ScriptedUpstream(script) as server:
        for _ in range(2):
            async with post(transport, server.url) as response:
                assert await whole_answer(response, 7, cap_bytes=CAP) == MESSAGE


@pytest.mark.parametrize("size", [20, 500, 50_000])
async def test_a_compressed_stream_is_read_event_by_event(transport: Transport, size: int) -> None:
    stream = gzip.compress(b": hi\n\nevent: ping\ndata: x\n\n" + b"data: %b\n\n" % BODY)
    script = in_chunks(stream, SSE, b"Content-Encoding: gzip", size=size)
    async with ScriptedUpstream(script) as server, post(transport, server.url) as response:
        assert [one async for one in messages(response, cap_bytes=CAP)] == [MESSAGE]


async def test_a_compressed_error_is_read(transport: Transport) -> None:
    body = gzip.compress(b'{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"no"}}')
    script = [ok(body, JSON, b"Content-Encoding: gzip", status=b"400 Bad Request")]
    async with ScriptedUpstream(script) as server, post(transport, server.url) as response:
        assert (await read_unsuccessful(response)).error == {"code": 1, "message": "no"}


async def _read_all(transport: Transport, url: str) -> None:
    async with post(transport, url) as response:
        async for _ in messages(response, cap_bytes=CAP):
            pass


@pytest.mark.parametrize("media_type", [JSON, SSE])
@pytest.mark.parametrize("filling", [b" ", b": comment\n"])
async def test_a_bomb_is_refused_when_it_has_filled_the_cap(
    transport: Transport, media_type: bytes, filling: bytes
) -> None:
    bomb = gzip.compress(filling * ((32 << 20) // len(filling)), 1)
    async with ScriptedUpstream([ok(bomb, media_type, b"Content-Encoding: gzip")]) as server:
        tracemalloc.start()
        with pytest.raises(UpstreamFault) as fault:
            await _read_all(transport, server.url)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (fault.value.reason, fault.value.figure) == ("too_large", CAP)
    assert peak < CAP + len(bomb) + (4 << 20)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        (b"gzip", BODY),
        (b"deflate", b"\xff" + BODY),
        (b"gzip", gzip.compress(BODY)[:-9]),
        (b"deflate", zlib.compress(BODY)[:-9]),
        (b"gzip", gzip.compress(BODY) + b"behind"),
        (b"deflate", zlib.compress(BODY) + b"behind"),
        (b"gzip", b""),
    ],
    ids=["no gzip", "no deflate", "cut", "cut deflate", "garbage behind", "garbage behind deflate", "empty"],
)
async def test_what_cannot_be_inflated_is_broken(transport: Transport, coding: bytes, packed: bytes) -> None:
    async with ScriptedUpstream([ok(packed, JSON, b"Content-Encoding: " + coding)]) as server:
        with pytest.raises(UpstreamFault) as fault:
            async with post(transport, server.url) as response:
                await whole_answer(response, 7, cap_bytes=CAP)
    assert fault.value.reason == "broken"
