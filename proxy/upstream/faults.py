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
    "egress": "upstream_egress",
    "tls": "upstream_tls",
}
TRANSPORT = frozenset({"upstream_refused", "upstream_broken", "upstream_slow", "upstream_tls"})
"""Reasons that speak against the upstream, or against a call's tool."""
AT_ONCE_OR_OURS = frozenset({"nobody_listens", "pool_full"})
"""Kinds of faults that speak against no server. To find out that nobody listens there has cost nobody anything, and
the next moment somebody may; and that no connection is free is our own doing."""
RESTARTS_WITHIN_S = 5
"""In how many seconds a server that Archway runs is mostly there again."""
_WHY = {
    "unknown_name": "Its name does not resolve.",
    "nobody_listens": "The connection was refused: check host and port.",
    "unreachable": "No way leads to its address: check host, network and firewall.",
    "unanswered": "No connection could be made in time: a firewall may drop it.",
    "unconnected": "No connection could be made.",
    "pool_full": "All connections to it are in use.",
    "handshake": "The TLS handshake failed: check that the port speaks TLS.",
    "certificate": "Its certificate is not trusted.",
    "proxy_away": "The proxy of HTTPS_PROXY cannot be reached.",
    "proxy_refused": "The proxy of HTTPS_PROXY did not let the connection through.",
    "web_page": "Check the path of the URL.",
    "session_lost": "It loses every session at once: if it runs several times, let each session reach the same one.",
}
"""By the kind of a fault."""
_CERTIFICATE = re.compile(r"certificate verify failed: ([\w ,.'*:-]{1,100})")
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
MAX_TEXT = 4096
WEB_PAGE = "the answer is a web page"
"""The detail of a fault: whoever reads it has another URL in hand than they think."""


def refusal_of(fault: UpstreamFault, installation: ResolvedInstallation, *, seconds: float, limit: int) -> Refusal:
    """What the caller is told of a fault of the transport. `seconds`, `limit`: those of a call."""
    if fault.reason == "refused" and installation.kind != "remote":
        return restarting(installation, "is restarting", detail=fault.detail)
    if fault.figure is not None:
        seconds, limit = fault.figure, int(fault.figure)  # each reason tells one of the two
    return Refusal(
        _REASONS[fault.reason],
        detail=fault.detail,
        kind=fault.kind,
        server=installation.entry,
        seconds=seconds,
        limit=limit,
        unit=fault.unit,
        environment=installation.environment,
    )


def restarting(installation: ResolvedInstallation, what: str, *, detail: str, said: str = "") -> Refusal:
    """The refusal of a server that Archway runs, and that takes no call at the moment: it speaks against nobody."""
    seconds = RESTARTS_WITHIN_S
    return Refusal(
        "server_restarting", server=installation.entry, what=what, seconds=seconds, detail=detail, said=said
    )


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
    kind = str(refusal.words.get("kind", ""))
    if refusal.words.get("status") in {404, 405}:
        return _WHY["web_page"]
    if kind == "certificate" and (certificate := _CERTIFICATE.search(refusal.detail)) is not None:
        return f"Its certificate is not trusted: {certificate[1].strip()}."
    if kind:
        return _WHY[kind]
    if refusal.reason == "upstream_broken":
        return f"What is wrong: {upstream_text(refusal.detail).rstrip('.')}." if refusal.detail else ""
    if refusal.reason == "upstream_egress":
        return f"Why: {refusal.detail}." if refusal.detail else ""
    if refusal.reason == "upstream_era" and "is pinned" not in str(refusal.words.get("versions")):
        return "Update one of the two, or set the server to offer one of these."
    return ""


def upstream_text(value: object) -> str:
    """An upstream's own words, fit to be told as a tool's text: no control characters, at most 4 KiB."""
    near = value[: 4 * MAX_TEXT] if isinstance(value, str) else ""  # of megabytes, no more than this is looked at
    return _CONTROLS.sub("", near)[:MAX_TEXT]
