"""Answers that came compressed: inflated in pieces and within their cap, through both transports."""

import gzip
import os
import tracemalloc
import zlib
from collections.abc import Callable

import orjson
import pytest

from core.egress.faults import UpstreamFault
from proxy.upstream.answers import messages, whole_answer
from proxy.upstream.transport import Transport
from proxy.upstream.unpacked import MAX_MEMBERS, Unpacked
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


SMALL = b'{"a":"' + b"b" * 300 + os.urandom(40).hex().encode() + b'"}'


class Came:
    """An answer whose compressed body comes in these chunks; counts how many were asked for."""

    status = 200

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks
        self.asked = 0

    def header(self, name: str) -> str | None:
        return None

    async def next_chunk(self) -> bytes:
        self.asked += 1
        return self._chunks[self.asked - 1] if self.asked <= len(self._chunks) else b""

    async def read_capped(self, cap_bytes: int) -> bytes:
        raise AssertionError("it is read in chunks")

    def never_reuse(self) -> None:
        """Nothing to close."""

    def may_be_left(self, *, all_read: bool) -> None:
        """Nothing to leave."""


async def unpacked(coding: str, *chunks: bytes, cap: int = CAP) -> bytes:
    return await Unpacked(Came(*chunks), coding, cap).read_capped(cap)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(SMALL)),
        ("gzip", gzip.compress(SMALL[:9]) + gzip.compress(SMALL[9:])),
        ("deflate", zlib.compress(SMALL)),
        ("deflate", zlib.compress(SMALL, 0)),
        ("deflate", _bare(SMALL)),
        ("deflate", b"\x00" + len(SMALL).to_bytes(2, "little") + (0xFFFF - len(SMALL)).to_bytes(2, "little") + SMALL
         + b"\x03\x00"),
    ],
    ids=["gzip", "two members", "deflate", "deflate that stores", "bare deflate", "bare deflate that stores"],
)  # fmt: skip
async def test_a_small_body_may_be_cut_anywhere(coding: str, packed: bytes) -> None:
    for cut in range(1, len(packed)):
        assert await unpacked(coding, packed[:cut], packed[cut:]) == SMALL
    assert await unpacked(coding, *(packed[at : at + 1] for at in range(len(packed)))) == SMALL


EMPTY = gzip.compress(b"")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (EMPTY * 50_000, "a part of it holds nothing"),
        (EMPTY + gzip.compress(SMALL), "a part of it holds nothing"),
        (gzip.compress(SMALL) + EMPTY * 2, "a part of it holds nothing"),
        (gzip.compress(b"a") * (MAX_MEMBERS + 1), f"more than {MAX_MEMBERS} parts"),
    ],
    ids=["all are empty", "the first is empty", "the last are empty", "one byte each"],
)
@pytest.mark.parametrize("size", [20, 1 << 20])
async def test_gzip_members_that_hold_next_to_nothing_are_refused(members: bytes, words: str, size: int) -> None:
    with pytest.raises(UpstreamFault) as fault:
        await unpacked("gzip", *(members[at : at + size] for at in range(0, len(members), size)))
    assert fault.value.reason == "broken"
    assert words in fault.value.detail


async def test_as_many_gzip_members_as_may_be_are_read() -> None:
    assert await unpacked("gzip", gzip.compress(b"a") * MAX_MEMBERS) == b"a" * MAX_MEMBERS


BEGUN = gzip.compress(SMALL)[:10]


@pytest.mark.parametrize(
    ("coding", "begin", "filling"),
    [
        ("gzip", BEGUN, b"\x00\x00\x00\xff\xff"),
        ("gzip", BEGUN[:3] + b"\x08" + BEGUN[4:], b"name"),
        ("deflate", b"\x78\x9c", b"\x00\x00\x00\xff\xff"),
        ("deflate", b"", b"\x00\x00\x00\xff\xff"),
    ],
    ids=["empty blocks", "a file name without end", "empty blocks of deflate", "empty blocks of bare deflate"],
)
async def test_a_body_that_inflates_to_nothing_is_refused_when_it_has_filled_the_cap(
    coding: str, begin: bytes, filling: bytes
) -> None:
    chunk = filling * (65_536 // len(filling))
    came = Came(begin + chunk, *[chunk] * 100)
    with pytest.raises(UpstreamFault) as fault:
        await Unpacked(came, coding, CAP).read_capped(CAP)
    assert (fault.value.reason, fault.value.figure) == ("too_large", CAP)
    assert came.asked <= CAP // len(chunk) + 2


@pytest.mark.parametrize("size", [0, 1, 40, 65_535, CAP])
@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
async def test_what_cannot_be_compressed_may_fill_the_cap(pack: Callable[[bytes], bytes], size: int) -> None:
    body = os.urandom(size)
    coding = "gzip" if pack is gzip.compress else "deflate"
    assert await unpacked(coding, pack(body), cap=size) == body
