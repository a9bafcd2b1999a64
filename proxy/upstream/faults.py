"""From what the transport says to what the caller is told: one place where an upstream's fault becomes a refusal."""

import re

from core.egress import UpstreamFault
from core.resolve import Connection
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
"""Reasons that speak against the upstream's health."""
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
MAX_TEXT = 4096


def refusal_of(fault: UpstreamFault, connection: Connection, *, seconds: float, limit: int) -> Refusal:
    """What the caller is told of a fault of the transport."""
    return Refusal(_REASONS[fault.reason], detail=fault.detail, server=connection.entry, seconds=seconds, limit=limit)


def upstream_text(value: object) -> str:
    """An upstream's own words, fit to be told as a tool's text: no control characters, at most 4 KiB."""
    return _CONTROLS.sub("", value if isinstance(value, str) else "")[:MAX_TEXT]
