"""From what the transport says to what the caller is told: one place where an upstream's fault becomes a refusal.

Callers of tools get the plain sentence of `proxy/refusals.py`; for an admin `proxy/upstream/probe.py` adds `why`.
"""

import re
from collections.abc import Sequence

from core.egress.client import UpstreamFault
from core.mcp.versions import LEGACY_VERSIONS, MODERN
from core.resolve import ResolvedInstallation
from proxy.refusals import Refusal

_REASONS = {
    "refused": "upstream_refused",
    "broken": "upstream_broken",
    "slow": "upstream_slow",
    "too_large": "upstream_too_large",
    "forbidden_address": "upstream_forbidden",
    "tls": "upstream_tls",
}
TRANSPORT = frozenset({"upstream_refused", "upstream_broken", "upstream_slow", "upstream_tls"})
"""Reasons that speak against the upstream, or against a call's tool."""
POOL_FULL = "PoolFull"
"""What the detail of a fault begins with that is our own: no connection is free."""
_WHY = {
    "UnknownName": "Its name does not resolve.",
    "ConnectFailed": "The connection was refused: check host and port.",
    "ConnectTimeout": "No connection could be made in time: a firewall may drop it.",
    POOL_FULL: "All connections to it are in use.",
    "HandshakeFailed": "The TLS handshake failed: check that the port speaks TLS.",
    "CertificateRefused": "Its certificate is not trusted.",
    "ClientConnectorDNSError": "Its name does not resolve.",
    "ClientConnectorError": "The connection was refused: check host and port.",
    "ClientProxyConnectionError": "The proxy of HTTPS_PROXY cannot be reached.",
    "ClientHttpProxyError": "The proxy of HTTPS_PROXY did not let the connection through.",
    "ConnectionTimeoutError": "No connection could be made in time: a firewall may drop it.",
    "ClientConnectorSSLError": "The TLS handshake failed: check that the port speaks TLS.",
    "ClientConnectorCertificateError": "Its certificate is not trusted.",
}
"""By the word that a fault's detail begins with: our pool's, then aiohttp's (`core.egress.faults`)."""
_REFUSED_CONNECTION = re.compile(r"Connect call failed|[Cc]onnection refused")
_CERTIFICATE = re.compile(r"certificate verify failed: ([\w ,.'*:-]{1,100})")
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
MAX_TEXT = 4096
WEB_PAGE = "the answer is a web page"
"""The detail of a fault: whoever reads it has another URL in hand than they think."""


def refusal_of(fault: UpstreamFault, installation: ResolvedInstallation, *, seconds: float, limit: int) -> Refusal:
    """What the caller is told of a fault of the transport. `seconds`, `limit`: those of a call."""
    if fault.figure is not None:
        seconds, limit = fault.figure, int(fault.figure)  # each reason tells one of the two
    return Refusal(
        _REASONS[fault.reason],
        detail=fault.detail,
        server=installation.entry,
        seconds=seconds,
        limit=limit,
        unit=fault.unit,
    )


def is_refused_at_once(fault: UpstreamFault) -> bool:
    """Whether nobody listens there: to find that out has cost nobody anything, and the next moment somebody may."""
    return fault.reason == "refused" and not fault.sent and _REFUSED_CONNECTION.search(fault.detail) is not None


def no_common_version(
    installation: ResolvedInstallation, named: Sequence[str], *, text: str = "", said: str = "", detail: str = ""
) -> Refusal:
    """The refusal of a server that speaks no revision that we do. `named`: dates that it named, nothing else."""
    offered = f"it offers {_listed(named)}" if named else "it does not say which it offers"
    pinned = installation.revision or (MODERN if installation.protocol == MODERN else "")
    if pinned:
        offered += f", and this installation is pinned to {pinned}"
    words = f"{offered}; Archway speaks {_listed([*LEGACY_VERSIONS, MODERN])}"
    return Refusal("upstream_era", server=installation.entry, versions=words, text=text, said=said, detail=detail)


def _listed(versions: Sequence[str]) -> str:
    return ", ".join(versions[:8])


def why(refusal: Refusal) -> str:
    """What the plain sentence leaves out, for an admin who sets a server up; empty where it says everything.

    Callers of tools are not told: it is about the network that Archway stands in.
    """
    if refusal.words.get("status") in {404, 405} or refusal.detail == WEB_PAGE:
        return "Check the path of the URL."
    if refusal.reason == "upstream_broken":
        return f"What is wrong: {upstream_text(refusal.detail).rstrip('.')}." if refusal.detail else ""
    if refusal.reason == "upstream_era" and "is pinned" not in str(refusal.words.get("versions")):
        return "Update one of the two, or set the server to offer one of these."
    kind = refusal.detail.partition(":")[0]
    certificate = _CERTIFICATE.search(refusal.detail)
    if certificate is not None:
        return f"Its certificate is not trusted: {certificate[1].strip()}."
    if kind in {"ConnectFailed", "ClientConnectorError"} and _REFUSED_CONNECTION.search(refusal.detail) is None:
        return "No connection could be made."
    return _WHY.get(kind, "")


def upstream_text(value: object) -> str:
    """An upstream's own words, fit to be told as a tool's text: no control characters, at most 4 KiB."""
    near = value[: 4 * MAX_TEXT] if isinstance(value, str) else ""  # of megabytes, no more than this is looked at
    return _CONTROLS.sub("", near)[:MAX_TEXT]
