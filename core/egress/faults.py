"""What went wrong at the far side, in Archway's own words: `UpstreamFault` and the table that makes it.

Every part that talks to another machine raises UpstreamFault and nothing else, so that no exception of the HTTP
library, and nothing it may print, leaves `core.egress.client`. What is left out: what a caller is told (`proxy`'s
table).
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from core.egress.name_lookup import AddressRefused

Reason = Literal["refused", "broken", "slow", "too_large", "forbidden_address", "tls"]
MAX_DETAIL_CHARS = 256


class UpstreamFault(Exception):
    """The far side failed, or may not be reached.

    `reason`: refused (no connection), broken (an invalid or cut answer), slow (no answer in time), too_large
    (beyond our cap), forbidden_address (our policy), tls (certificate or handshake).
    `sent`: False only when it is certain that no byte of the request left; only then may it be tried again.
    `detail`: for operators, at most 256 characters, never for callers.
    `whole`: the answer came to its end, and cannot be used: the far side is alive.
    `figure`: the seconds (slow) or bytes (too_large) that were allowed; None: those of a call. `unit`: what is
    counted where it is not bytes.
    """

    def __init__(
        self,
        reason: Reason,
        *,
        sent: bool,
        detail: str = "",
        whole: bool = False,
        figure: float | None = None,
        unit: str = "bytes",
    ) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.sent = sent
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


@contextmanager
def mapped_faults(connect_seconds: float | None = None) -> Iterator[None]:
    """Put around a line that calls aiohttp: its exceptions, OSError and TimeoutError become UpstreamFault.

    `connect_seconds`: how long a connection may take to be there.
    """
    try:
        yield
    except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
        fault = fault_of(error)
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            fault.figure = connect_seconds
        raise fault from None


@contextmanager
def mapped_client_errors() -> Iterator[None]:
    """The same for a block of somebody else's code: only what certainly comes from aiohttp is mapped."""
    try:
        yield
    except (aiohttp.ClientError, HttpProcessingError) as error:
        raise fault_of(error) from None


def fault_of(error: BaseException) -> UpstreamFault:
    """The fault that an exception of aiohttp or of the socket stands for."""
    forbidden = _refusal_within(error)
    if forbidden is not None:
        return UpstreamFault("forbidden_address", sent=False, detail=str(forbidden))
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, aiohttp.ClientOSError) and _WRITE_FAILED in str(error):
        # The peer hung up while we wrote. aiohttp tells this from a reset while reading by its words alone.
        return UpstreamFault("refused", sent=True, detail=detail)
    for kind, reason, sent in AIOHTTP_FAULTS:
        if isinstance(error, kind):
            return UpstreamFault(reason, sent=sent, detail=detail)
    return UpstreamFault("broken", sent=True, detail=detail)


def _refusal_within(error: BaseException) -> AddressRefused | None:
    """Our own refusal, which aiohttp wraps once or twice."""
    seen: BaseException | None = error
    for _ in range(4):
        if seen is None or isinstance(seen, AddressRefused):
            return seen
        inner = getattr(seen, "os_error", None)
        seen = inner if isinstance(inner, BaseException) else seen.__cause__
    return None
