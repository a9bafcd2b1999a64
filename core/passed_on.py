"""Requests for pages and endpoints of sign-in that a proxy passes on to control's public listener.

People and clients come to one address, the public URL, where a proxy listens. What is not for a gateway there it
passes on (`proxy/edge/passing_on.py`), and says where the request came from: control slows down who tries passwords
by their address, which nobody must be able to choose. So the proxy's word carries a token of the calls between the
planes, bound to this method, this path and this very word; control reads it with `came_from` and believes no header
without it. The token says nothing of who asks, and the body is not bound: what control does with that it judges as
if the request had come straight to it.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from core.internal_call import CallMistimed, CallRefused, InternalCalls

PROOF: Final = "X-Archway-Passed-On"
ADDRESS: Final = "X-Forwarded-For"
HOST: Final = "X-Forwarded-Host"
SCHEME: Final = "X-Forwarded-Proto"
REQUEST_ID: Final = "X-Request-Id"
OURS: Final = frozenset(name.lower() for name in (PROOF, ADDRESS, HOST, SCHEME, REQUEST_ID))
"""Headers that a proxy writes itself; those of the same names that came are dropped."""


class CameFrom(msgspec.Struct, frozen=True, array_like=True):
    """Where a request came from, as the proxy that took it has judged."""

    address: str
    """Of the client; for what is slowed down by address, and for the audit."""
    host: str
    """As the client wrote it; one that the proxy serves."""
    scheme: Literal["http", "https"]
    request_id: str
    """By which the proxy knows the request, for log lines and answers of both planes."""


def told(calls: InternalCalls, method: str, target: str, came_from: CameFrom) -> dict[str, str]:
    """The headers with which a proxy says where the request with this method and raw target came from."""
    proof, _ = calls.mint(*_bound(method, target, came_from))
    return {
        PROOF: proof,
        ADDRESS: came_from.address,
        HOST: came_from.host,
        SCHEME: came_from.scheme,
        REQUEST_ID: came_from.request_id,
    }


def came_from(calls: InternalCalls, headers: Mapping[str, str], method: str, target: str) -> CameFrom | None:
    """What a proxy says of this request; None for one that no proxy has passed on, whatever its headers say.

    `target` is the raw one, as it stands in the request line. Raises CallMistimed where the clocks of the two planes
    differ too much: then no proxy can be believed, and the operator must know.
    """
    proof = headers.get(PROOF, "")
    if not proof:
        return None
    scheme: Literal["http", "https"] = "https" if headers.get(SCHEME) == "https" else "http"
    said = CameFrom(headers.get(ADDRESS, ""), headers.get(HOST, ""), scheme, headers.get(REQUEST_ID, ""))
    try:
        _ = calls.check(proof, *_bound(method, target, said))
    except CallMistimed:
        raise
    except CallRefused:
        return None
    return said


def _bound(method: str, target: str, said: CameFrom) -> tuple[str, str, bytes]:
    """What the token is made for. The first word keeps it apart from those of questions between the planes."""
    return f"PASSED-ON {method}", target, msgspec.msgpack.encode(said)
