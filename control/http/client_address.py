"""From where a request of the listener for people came: what one of our proxies says, or the peer.

Most requests come to the public URL, where a proxy passes them on with its word on the client's address, bound to the
request (`core/passed_on.py`). What comes without it came straight here; then the peer is the client, or a reverse
proxy that the operator trusts says who is before it. Without this everybody would have one address, and share one
throttle.

Called by `control/public/answering.py`, which puts it on the request; `client_address` by whoever needs an address.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

from aiohttp import web

from control.http.problems import Problem
from core.identifiers import is_id
from core.internal_call import CallMistimed, InternalCalls
from core.passed_on import CameFrom, came_from

Networks = Sequence[IPv4Network | IPv6Network]
_LONGEST: Final = 64


@dataclass(frozen=True, slots=True)
class Origins:
    """Whose word is believed: our proxies', by their token, and that of reverse proxies in these networks."""

    from_proxies: InternalCalls | None = None
    trusted: Networks = ()


ORIGINS: web.AppKey[Origins] = web.AppKey("origins", Origins)
"""The application sets it."""
ADDRESS: web.RequestKey[str] = web.RequestKey("client_address", str)


def read_origin(request: web.Request) -> str:
    """Put the client's address on the request; the identifier that a proxy gave it, or ''. Raises Problem 503 where
    the clocks of the two planes differ too much for a proxy to be believed.
    """
    origins = request.app[ORIGINS]
    try:
        said = _said(request, origins.from_proxies)
    except CallMistimed as mistimed:
        raise Problem(
            503, f"The clocks of our machines differ, so nobody can sign in: an operator sets them. ({mistimed})"
        ) from None
    if said is not None:
        request[ADDRESS] = said.address[:_LONGEST]
        return said.request_id if is_id(said.request_id) else ""
    request[ADDRESS] = _forwarded(request, origins.trusted)
    return ""


def client_address(request: web.Request) -> str:
    """The client's address, '' where the transport has none."""
    found: str = request.get(ADDRESS, "")
    return found


def _said(request: web.Request, calls: InternalCalls | None) -> CameFrom | None:
    return None if calls is None else came_from(calls, request.headers, request.method, request.raw_path)


def _forwarded(request: web.Request, trusted: Networks) -> str:
    address = request.remote or ""
    hops = ",".join(request.headers.getall("X-Forwarded-For", []))
    for hop in reversed(hops.split(",")):
        if not hop.strip() or not _is_in(address, trusted):
            break
        address = hop.strip()[:_LONGEST]
    return address


def _is_in(address: str, networks: Networks) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
