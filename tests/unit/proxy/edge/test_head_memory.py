from __future__ import annotations

import gc
import os
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.resolve import CallerVerdict, JwtProof
from proxy.caller import Caller
from proxy.edge.head_memory import LONGEST, ROOM, HeadMemory
from proxy.edge.head_rules import HeadReader
from proxy.exchange import Head, Judged
from tests.fakes.callers import a_user

LINES = (b"POST /v1/mcp/g HTTP/1.1", b"Host: gw.example", b"Authorization: Bearer arch_x", b"Content-Length: 12")
BLOCK = b"\r\n".join(LINES)
PEER = "192.0.2.1"


def head(block: bytes, *, method: str = "POST", judged: bool = True) -> Head:
    read = HeadReader().read(block)
    assert read is not None
    made = Head(method, read.target, (1, 1), (), PEER, read.headers)
    made.judged = Judged(read.headers, "g", PEER, caller=a_user("x")) if judged else None
    return made


def remembers(block: bytes) -> HeadMemory:
    memory = HeadMemory()
    key, _, known = memory.ask(block + b"\r\n\r\nbody", len(block), PEER)
    assert known is None
    if key is not None:
        memory.keep(key, head(block), close=False)
    return memory


def length_of(memory: HeadMemory, block: bytes, peer: str = PEER) -> int:
    """The length of a head that is known; -1 for another."""
    _, length, known = memory.ask(block + b"\r\n\r\nthe body", len(block), peer)
    return length if known is not None else -1


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (1, 3, 2)])
@pytest.mark.parametrize("name", [b"Content-Length", b"content-length"])
def test_a_head_with_another_length_is_known_again(order: tuple[int, ...], name: bytes) -> None:
    block = b"\r\n".join([LINES[0], *(LINES[at] for at in order)]).replace(b"Content-Length", name)
    memory = remembers(block)
    assert length_of(memory, block) == 12
    assert length_of(memory, block.replace(b"12", b"4096")) == 4096
    assert length_of(memory, block.replace(b"12", b"0")) == 0


@pytest.mark.parametrize(
    ("part", "other"),
    [
        (b"arch_x", b"arch_y"),
        (b"Host: gw.example", b"Host: gw.example.org"),
        (b"/v1/mcp/g ", b"/v1/mcp/h "),
        (b": 12", b": 012"),
        (b": 12", b": +2"),
        (b": 12", b": 1 2"),
        (b": 12", b": "),
        (b": 12", b": 12 "),
        (b": 12", b": 12\r\nContent-Length: 12"),
        (b": 12", b": 12\r\nTransfer-Encoding: chunked"),
        (b": 12", b": 1234567890123456"),
        (b"Content-Length", b"X-Content-Length"),
        (b"\r\nContent-Length: 12", b"\r\nC"),
        (b"\r\nContent-Length: 12", b"\r\nC\r\nContent-Length: 12"),
        (b"\r\nContent-Length: 12", b""),
    ],
)
def test_any_other_difference_makes_it_another_head(part: bytes, other: bytes) -> None:
    assert length_of(remembers(BLOCK), BLOCK.replace(part, other)) == -1


def test_another_peer_sends_another_head() -> None:
    assert length_of(remembers(BLOCK), BLOCK, "192.0.2.2") == -1


@given(st.integers(0, len(BLOCK) - 1), st.binary(max_size=3))
def test_what_is_known_again_would_be_read_as_the_same(at: int, instead: bytes) -> None:
    changed = BLOCK[:at] + instead + BLOCK[at + 1 :]

    length = length_of(remembers(BLOCK), changed)

    if length >= 0:
        read, was = HeadReader().read(changed), HeadReader().read(BLOCK)
        assert read is not None
        assert was is not None
        assert read.length == length
        assert read.headers | {"content-length": ""} == was.headers | {"content-length": ""}


def test_what_cannot_be_known_again_is_not_kept() -> None:
    for block in (b"\r\n".join(LINES[:3]), b"\r\n".join([*LINES, *(b"X-%d: " % n + b"a" * 4000 for n in range(3))])):
        assert HeadMemory().ask(block, len(block), PEER) == (None, 0, None)
    memory = HeadMemory()
    key, _, _ = memory.ask(BLOCK, len(BLOCK), PEER)
    assert key is not None
    memory.keep(key, head(BLOCK, judged=False), close=False)
    memory.keep(key, head(BLOCK, method="GET"), close=False)
    assert length_of(memory, BLOCK) == -1


def test_a_strangers_head_is_kept_only_where_an_overloaded_worker_refused_it() -> None:
    memory, strange = HeadMemory(), head(BLOCK)
    assert strange.judged is not None
    strange.judged.caller = None
    key, _, _ = memory.ask(BLOCK, len(BLOCK), PEER)
    assert key is not None
    memory.keep(key, strange, close=False)
    assert length_of(memory, BLOCK) == -1
    memory.keep(key, strange, close=False, refused=True)
    assert length_of(memory, BLOCK) == 12


def with_token(length: int) -> bytes:
    """A head with a provider's token of this length, which is another one each time."""
    token = b"eyJ." + os.urandom(16).hex().encode() * (length // 32) + b".s"
    return BLOCK.replace(b"arch_x", token)


def test_a_head_with_as_long_a_token_as_a_provider_makes_is_known_again() -> None:
    for length in (1500, 2560, 8000):
        block = with_token(length)
        assert len(block) <= LONGEST
        assert length_of(remembers(block), block) == 12


def many_headers() -> bytes:
    """A hundred of them, whose names nobody else sends."""
    word = os.urandom(4).hex().encode()
    return BLOCK.replace(b"Content-", b"".join(b"x%02d%b: %b\r\n" % (n, word, word) for n in range(96)) + b"Content-")


def long_value() -> bytes:
    return BLOCK.replace(b"Content-", b"X-A: " + os.urandom(16).hex().encode() * 250 + b"\r\nContent-")


def long_target() -> bytes:
    return BLOCK.replace(b"/g ", b"/" + os.urandom(16).hex().encode() * 200 + b" ")


SHAPES = [lambda: BLOCK.replace(b"arch_x", os.urandom(20).hex().encode()), many_headers, long_value, long_target]


@pytest.mark.parametrize("shape", [*SHAPES, lambda: with_token(2560)])
def test_heads_take_no_more_memory_than_is_counted_for_them(shape: Callable[[], bytes]) -> None:
    memory, reader, many = HeadMemory(), HeadReader(), 100
    for _ in range(25):  # fills what the reader keeps by itself
        reader.read(many_headers())
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(many):
            keep_of_its_bearer(memory, reader, shape())
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(memory.heads()) == many
    assert 0.2 * memory._known._taken < taken <= memory._known._taken


def keep_of_its_bearer(memory: HeadMemory, reader: HeadReader, block: bytes) -> None:
    """As the lane keeps a head with which somebody was let in by a signed token."""
    key, _, _ = memory.ask(block + b"\r\n\r\n", len(block), PEER)
    read = reader.read(block)
    assert key is not None
    assert read is not None
    proof = JwtProof.of(read.headers.pop("authorization").removeprefix("Bearer "))
    made = Head("POST", read.target, (1, 1), (), PEER, read.headers)
    made.judged = Judged(read.headers, "g", PEER, caller=Caller(CallerVerdict(proof.digest), proof))
    memory.keep(key, made, close=False)


def test_a_flood_of_large_heads_stays_within_the_room_of_both_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.edge.head_memory.ROOM", 100_000)
    memory, reader = HeadMemory(), HeadReader()
    for _ in range(60):
        keep_of_its_bearer(memory, reader, with_token(8000))
        assert sum(len(head.judged.caller.proof.jwt) for head in memory.heads() if head.judged) <= 200_000  # type: ignore[union-attr]  # all were let in by a signed token
    assert 10 <= len(memory.heads()) <= 2 * 100_000 // 8000


def test_the_heads_of_ten_thousand_callers_by_three_ways_fit_into_a_half() -> None:
    memory, reader = HeadMemory(), HeadReader()
    for _ in range(10):
        for shape in (SHAPES[0], lambda: with_token(700), lambda: with_token(2560)):
            keep_of_its_bearer(memory, reader, shape())
    assert memory._known._taken / 30 * 10_000 <= ROOM
