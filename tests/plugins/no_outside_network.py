"""A pytest plugin: no test of ours talks to anything but this machine.

A connection to an address that is not loopback is refused on the spot, and the test that tried fails even if it
swallowed the refusal. Names other than `localhost` do not resolve; that alone fails nothing, because a test may
well ask what happens then. Unix sockets are free. So is a test marked `cluster`: it speaks to the API server that
somebody named for it.

An audit hook sees every socket of this process, however it was made; not those of uvloop, nor those of child
processes. It cannot be taken off again, so it looks only while a session runs (`_watching`).
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Iterator

import pytest

_watching = False
_attempts: list[str] = []


class OutsideNetworkError(OSError):
    """A test tried to leave this machine."""


def pytest_configure() -> None:
    global _watching  # noqa: PLW0603  # an audit hook has no owner to keep its state in
    if not getattr(sys, "_archway_network_hook", False):
        sys.addaudithook(_hook)
        sys._archway_network_hook = True  # type: ignore[attr-defined]  # one hook a process, even with pytester
    _watching = True


@pytest.fixture(autouse=True)
def _no_outside_network(request: pytest.FixtureRequest) -> Iterator[None]:
    global _watching  # noqa: PLW0603  # as above
    _attempts.clear()
    _watching = request.node.get_closest_marker("cluster") is None  # somebody named an API server for these
    yield
    _watching = True
    if _attempts:
        tried = ", ".join(_attempts)
        _attempts.clear()
        pytest.fail(f"this test tried to reach {tried}; only loopback is allowed. Use a fake on 127.0.0.1.")


def stays_here(host: object) -> bool:
    """Is this host, as given to `connect` or `getaddrinfo`, surely on this machine?"""
    if host is None or host in {"", b""}:
        return True
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    name = name.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    inner = getattr(address, "ipv4_mapped", None) or address
    return inner.is_loopback or inner.is_unspecified


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not _watching:
        return
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        _judge_address(arguments[0], arguments[1])
    elif event == "socket.getaddrinfo" and not (stays_here(arguments[0]) or _is_literal(arguments[0])):
        raise socket.gaierror(socket.EAI_NONAME, f"{arguments[0]!r}: tests resolve no names but localhost")


def _judge_address(sock: object, address: object) -> None:
    if getattr(sock, "family", None) not in {socket.AF_INET, socket.AF_INET6} or not isinstance(address, tuple):
        return
    if stays_here(address[0]):
        return
    _attempts.append(f"{address[0]} port {address[1]}")
    raise OutsideNetworkError(f"{address[0]} is not loopback; tests stay on this machine")


def _is_literal(host: object) -> bool:
    """An address in digits is not looked up anywhere; connecting to it is judged later."""
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in str(host) else socket.AF_INET, str(host).partition("%")[0])
    except OSError:
        return False
    return True
