"""What went wrong at the far side, in Archway's own words: `UpstreamFault` and the table that makes it.

Every part that talks to another machine raises UpstreamFault and nothing else, so that no exception of the HTTP
library, and nothing it may print, leaves `core.egress.client`. What is left out: what a caller is told (`proxy`'s
table).
"""

import errno
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from core.egress.addresses import AddressRefused
from core.egress.held import EgressRefused

Reason = Literal["refused", "broken", "slow", "too_large", "forbidden_address", "egress", "tls"]
Kind = Literal[
    "",
    "unknown_name",
    "nobody_listens",
    "unreachable",
    "unanswered",
    "unconnected",
    "pool_full",
    "handshake",
    "certificate",
    "proxy_away",
    "proxy_refused",
    "web_page",
    "session_lost",
]
MAX_DETAIL_CHARS = 256


class UpstreamFault(Exception):
    """The far side failed, or may not be reached.

    `reason`: refused (no connection), broken (an invalid or cut answer), slow (no answer in time), too_large
    (beyond our cap), forbidden_address (our policy), egress (an environment's), tls (certificate or handshake).
    `sent`: False only when it is certain that no byte of the request left; only then may it be tried again.
    `kind`: which of the ways to fail it was, where somebody does other things for it: nobody_listens (the far machine
    refused the connection at once), unreachable (no way leads there), unanswered (no answer to our wish to connect),
    unconnected (no connection for another cause), pool_full (ours: none is free), session_lost (what came says, in no
    form of the protocol, that there is no such session), and so on; "" for all others.
    `detail`: for operators, and nothing is decided by it; at most 256 characters, never for callers.
    `whole`: the answer came to its end, and cannot be used: the far side is alive.
    `figure`: the seconds (slow) or bytes (too_large) that were allowed; None: those of a call. `unit`: what is
    counted where it is not bytes.
    """

    def __init__(
        self,
        reason: Reason,
        *,
        sent: bool,
        kind: Kind = "",
        detail: str = "",
        whole: bool = False,
        figure: float | None = None,
        unit: str = "bytes",
    ) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.sent = sent
        self.kind: Kind = kind
        self.detail = detail[:MAX_DETAIL_CHARS]
        self.whole = whole
        self.figure, self.unit = figure, unit

    def __repr__(self) -> str:
        return f"UpstreamFault({self.reason!r}, sent={self.sent})"


# The first row that fits decides, so the special stand before the general: exception, reason, sent.
AIOHTTP_FAULTS: tuple[tuple[type[BaseException], Reason, bool], ...] = (
    (aiohttp.ClientSSLError, "tls", False),
    (aiohttp.ClientConnectorCertificateError, "tls", False),
    (aiohttp.ClientHttpProxyError, "refused", False),
    (aiohttp.ClientConnectorError, "refused", False),
    (aiohttp.InvalidURL, "refused", False),
    (aiohttp.ConnectionTimeoutError, "slow", False),
    (aiohttp.ServerTimeoutError, "slow", True),
    (TimeoutError, "slow", True),
    # "Cannot write": the peer had hung up before the request was out.
    (aiohttp.ClientConnectionResetError, "refused", True),
    (aiohttp.ClientError, "broken", True),
    (HttpProcessingError, "broken", True),
    (ssl.SSLError, "broken", True),
    (OSError, "broken", True),
)
_WRITE_FAILED = "Can not write request body"
# The first row that fits decides here too.
_KINDS: tuple[tuple[type[BaseException], Kind], ...] = (
    (aiohttp.ClientConnectorDNSError, "unknown_name"),
    (aiohttp.ClientProxyConnectionError, "proxy_away"),
    (aiohttp.ClientHttpProxyError, "proxy_refused"),
    (aiohttp.ClientConnectorCertificateError, "certificate"),
    (aiohttp.ClientSSLError, "handshake"),
    (aiohttp.ConnectionTimeoutError, "unanswered"),
)
_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
_NO_SUCH_WAY = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_ERRNO = re.compile(r"\[Errno (\d+)\]")


@contextmanager
def mapped_faults(connect_seconds: float | None = None) -> Iterator[None]:
    """Put around a line that calls aiohttp: its exceptions, OSError and TimeoutError become UpstreamFault.

    `connect_seconds`: how long a connection may take to be there.
    """
    try:
        yield
    except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
        fault = fault_of(error)
        if fault.kind == "unanswered":
            fault.figure = connect_seconds
        raise fault from None


@contextmanager
def mapped_client_errors() -> Iterator[None]:
    """The same for a block of somebody else's code: only what certainly comes from aiohttp is mapped."""
    try:
        yield
    except (aiohttp.ClientError, HttpProcessingError) as error:
        raise fault_of(error) from None


def connect_kind(error: BaseException) -> Kind:
    """Which way to fail an error of a socket that was to be connected stands for.

    By its number, never by its words: event loops write "Connect call failed" for every number. Where several
    addresses of a server failed in different ways, the error of them all has no number, but names theirs.
    """
    number = getattr(error, "errno", None)
    numbers = {number} if number else {int(found) for found in _ERRNO.findall(str(error))}
    if isinstance(error, TimeoutError) or errno.ETIMEDOUT in numbers:
        return "unanswered"
    if errno.ECONNREFUSED in numbers and numbers <= {errno.ECONNREFUSED} | _NO_SUCH_WAY:
        return "nobody_listens"  # at one address, and to the others we have no way, which costs no time either
    return "unreachable" if numbers and numbers <= _UNREACHABLE else "unconnected"


def fault_of(error: BaseException) -> UpstreamFault:
    """The fault that an exception of aiohttp or of the socket stands for."""
    forbidden = _refusal_within(error)
    if forbidden is not None:
        return forbidden_fault(forbidden)
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, aiohttp.ClientOSError) and _WRITE_FAILED in str(error):
        # The peer hung up while we wrote. aiohttp tells this from a reset while reading by its words alone.
        return UpstreamFault("refused", sent=True, detail=detail)
    kind = _kind_of(error)
    if kind == "unanswered":
        return UpstreamFault("slow", sent=False, kind=kind, detail=detail)
    for family, reason, sent in AIOHTTP_FAULTS:
        if isinstance(error, family):
            return UpstreamFault(reason, sent=sent, kind=kind, detail=detail)
    return UpstreamFault("broken", sent=True, detail=detail)


def forbidden_fault(refused: AddressRefused) -> UpstreamFault:
    """The fault that a refusal of an address is: by an environment's policy, or by the deployment's own."""
    reason: Reason = "egress" if isinstance(refused, EgressRefused) else "forbidden_address"
    return UpstreamFault(reason, sent=False, detail=str(refused))


def _kind_of(error: BaseException) -> Kind:
    for family, kind in _KINDS:
        if isinstance(error, family):
            return kind
    return connect_kind(error.os_error) if isinstance(error, aiohttp.ClientConnectorError) else ""


def _refusal_within(error: BaseException) -> AddressRefused | None:
    """Our own refusal, which aiohttp wraps once or twice."""
    seen: BaseException | None = error
    for _ in range(4):
        if seen is None or isinstance(seen, AddressRefused):
            return seen
        inner = getattr(seen, "os_error", None)
        seen = inner if isinstance(inner, BaseException) else seen.__cause__
    return None
