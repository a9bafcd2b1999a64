"""Heads: what is read from them, and which of them are remembered. `test_pool_answer` has the bad ones."""

import pytest

import proxy.upstream.pool_head as pool_head
from core.egress_faults import UpstreamFault
from proxy.upstream.pool_head import head_of
from tests.fakes.scripted_upstream import head


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_head, "_known", {})


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        (b"X: y", 4.0),
        (b"Keep-Alive: timeout=3, max=100", 2.0),
        (b"Keep-Alive: max=100,Timeout=2", 1.0),
        (b"Keep-Alive: timeout=60", 4.0),
        (b"Keep-Alive: timeout=1", 0.0),
        (b"Keep-Alive: timeout=0", -1.0),
        (b"Keep-Alive: nonsense", 4.0),
    ],
)
def test_a_connection_lies_idle_a_second_less_than_the_server_says(line: bytes, seconds: float) -> None:
    assert head_of(head(line)).idle_seconds == seconds


def test_a_head_that_came_before_is_not_read_again() -> None:
    block = head(b"Content-Type: application/json", b"Content-Length: 5", b"Date: Sat, 21 Nov 2026 06:00:00 GMT")
    assert head_of(block) is head_of(bytes(bytearray(block)))
    assert head_of(block).headers != head_of(block.replace(b"06:00", b"07:00")).headers


@pytest.mark.parametrize(
    "line",
    [b"Mcp-Session-Id: secret", b"Set-Cookie: secret", b"X-Any: secret", b"Server: " + b"long" * 200],
)
def test_a_head_that_may_hold_a_secret_or_is_long_is_not_remembered(line: bytes) -> None:
    head_of(head(b"Content-Length: 5", line))
    assert pool_head._known == {}


def test_a_bounded_number_of_heads_is_remembered() -> None:
    for length in range(1000):
        assert head_of(head(b"Content-Length: %d" % length)).length == length
    assert len(pool_head._known) <= 256


def test_a_bad_head_is_bad_each_time() -> None:
    for _ in range(2):
        with pytest.raises(UpstreamFault):
            head_of(head(b"Content-Length: 5", b"Content-Length: 6"))


def test_an_interim_head_says_nothing_but_its_status() -> None:
    hints = head_of(head(b"Mcp-Session-Id: a", b"Keep-Alive: timeout=1", status=b"103 Early Hints"))
    assert (hints.status, hints.headers) == (103, {})
