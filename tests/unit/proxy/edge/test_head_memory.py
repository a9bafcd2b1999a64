from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.edge.head_memory import HeadMemory
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
    for block in (b"\r\n".join(LINES[:3]), b"\r\n".join([*LINES, b"X-A: " + b"a" * 3000])):
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
