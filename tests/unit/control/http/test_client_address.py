"""From where a request came."""

from __future__ import annotations

import time
from ipaddress import ip_network
from unittest.mock import Mock, patch

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from control.http.client_address import ORIGINS, Networks, Origins, client_address, read_origin
from control.http.problems import Problem
from core.identifiers import new_id
from core.internal_call import InternalCalls
from core.keys import new_key, parse_key_ring
from core.passed_on import CameFrom, told

OURS: Networks = (ip_network("10.0.0.0/8"), ip_network("127.0.0.0/8"))
RING = parse_key_ring("ARCHWAY_PROXY_KEY", new_key())
CALLS = InternalCalls(RING, caller="proxy", answerer="control")


def a_request(
    peer: str, headers: dict[str, str], networks: Networks = (), path: str = "/sign-in?a=%20"
) -> web.Request:
    app = web.Application()
    app[ORIGINS] = Origins(CALLS, networks)
    transport = Mock()
    transport.get_extra_info = Mock(side_effect=lambda name, *_: (peer, 1) if name == "peername" else None)
    return make_mocked_request("GET", path, headers=headers, app=app, transport=transport)


def address_of(request: web.Request) -> str:
    read_origin(request)
    return client_address(request)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7,", "127.0.0.1"),
        ("192.0.2.1", "203.0.113.7", "192.0.2.1"),
        ("127.0.0.1", "not an address", "not an address"),
    ],
)
def test_the_last_hop_that_is_not_trusted_is_the_client(peer: str, forwarded: str, address: str) -> None:
    assert address_of(a_request(peer, {"X-Forwarded-For": forwarded}, OURS)) == address


def test_without_proxies_that_are_trusted_the_header_says_nothing() -> None:
    assert address_of(a_request("127.0.0.1", {"X-Forwarded-For": "203.0.113.7"})) == "127.0.0.1"
    assert address_of(a_request("127.0.0.1", {})) == "127.0.0.1"


def test_the_word_of_our_proxy_is_believed_whatever_its_address_and_its_number_is_taken() -> None:
    request_id = new_id()
    said = CameFrom("203.0.113.7", "mcp.example.com", "https", request_id)
    request = a_request("192.0.2.1", told(CALLS, "GET", "/sign-in?a=%20", said))
    assert (read_origin(request), client_address(request)) == (request_id, "203.0.113.7")


@pytest.mark.parametrize(
    "changed",
    [{"X-Forwarded-For": "198.51.100.9"}, {"X-Archway-Passed-On": "Archway x.y.z"}, {"X-Request-Id": new_id()}],
)
def test_a_word_that_was_changed_on_the_way_is_nobodys(changed: dict[str, str]) -> None:
    said = CameFrom("203.0.113.7", "mcp.example.com", "https", new_id())
    headers = told(CALLS, "GET", "/sign-in?a=%20", said) | changed
    assert address_of(a_request("192.0.2.1", headers)) == "192.0.2.1"


def test_a_word_for_another_path_or_of_another_key_is_nobodys() -> None:
    said = CameFrom("203.0.113.7", "mcp.example.com", "https", new_id())
    other = InternalCalls(parse_key_ring("ARCHWAY_PROXY_KEY", new_key()), caller="proxy", answerer="control")
    for calls, path in ((CALLS, "/sign-in"), (other, "/sign-in?a=%20")):
        assert address_of(a_request("192.0.2.1", told(calls, "GET", path, said))) == "192.0.2.1"


def test_a_number_that_is_none_of_ours_is_not_taken() -> None:
    said = CameFrom("203.0.113.7", "mcp.example.com", "https", "evil\nline")
    assert read_origin(a_request("192.0.2.1", told(CALLS, "GET", "/sign-in?a=%20", said))) == ""


def test_clocks_that_differ_are_told_to_the_person_instead_of_giving_everybody_one_address() -> None:
    said = CameFrom("203.0.113.7", "mcp.example.com", "https", new_id())
    with patch("time.time", return_value=time.time() - 3_600):
        headers = told(CALLS, "GET", "/sign-in?a=%20", said)
    with pytest.raises(Problem, match="clocks") as refused:
        read_origin(a_request("192.0.2.1", headers))
    assert refused.value.status == 503
