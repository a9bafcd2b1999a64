from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.edge.head_rules import HeadReader
from proxy.edge.repeated_head import RepeatedHead, repeated_head
from proxy.exchange import Head

LINES = (b"POST /v1/mcp/g HTTP/1.1", b"Host: gw.example", b"Authorization: Bearer arch_x", b"Content-Length: 12")


def remembered(block: bytes) -> RepeatedHead | None:
    plain = HeadReader().read(block)
    assert plain is not None
    return repeated_head(block, plain, Head("POST", plain.target, (1, 1), (), "192.0.2.1", plain.headers))


def length_of(last: RepeatedHead, block: bytes) -> int:
    return last.length_in(block + b"\r\n\r\nthe body", len(block))


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (1, 3, 2)])
def test_a_head_with_another_length_is_known_again(order: tuple[int, ...]) -> None:
    block = b"\r\n".join([LINES[0], *(LINES[at] for at in order)])
    last = remembered(block)
    assert last is not None
    assert length_of(last, block) == 12
    assert length_of(last, block.replace(b"12", b"4096")) == 4096
    assert length_of(last, block.replace(b"12", b"0")) == 0


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
        (b": 12", b": 12\r\nContent-Length: 12"),
        (b": 12", b": 12\r\nTransfer-Encoding: chunked"),
        (b": 12", b": 1234567890123456"),
    ],
)
def test_any_other_difference_makes_it_another_head(part: bytes, other: bytes) -> None:
    block = b"\r\n".join(LINES)
    last = remembered(block)
    assert last is not None
    assert length_of(last, block.replace(part, other)) == -1


@given(st.integers(0, len(b"\r\n".join(LINES)) - 1), st.binary(max_size=3))
def test_what_is_known_again_would_be_read_as_the_same(at: int, instead: bytes) -> None:
    block = b"\r\n".join(LINES)
    last = remembered(block)
    assert last is not None
    changed = block[:at] + instead + block[at + 1 :]

    length = length_of(last, changed)

    if length >= 0:
        read = HeadReader().read(changed)
        assert read is not None
        assert read.length == length
        assert read.headers | {"content-length": ""} == last.plain.headers | {"content-length": ""}


def test_a_head_without_a_length_and_a_very_long_one_are_not_kept() -> None:
    assert remembered(b"\r\n".join(LINES[:3])) is None
    assert remembered(b"\r\n".join([*LINES, b"X-A: " + b"a" * 5000])) is None
