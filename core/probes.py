"""Questions from control to a proxy, and their answers: what does this server speak and offer?

Asked by `control/discovery/probe_client.py` and the doctor, answered by `proxy/internal.py`. Leaves out what a proxy
asks control (`core/resolve.py`).
"""

from typing import Literal

import msgspec

from core.resolve import ResolvedInstallation


class ProbeQuestion(msgspec.Struct, frozen=True):
    """What does this installation's server speak and offer?"""

    installation: ResolvedInstallation = msgspec.field(name="connection")
    """Called `connection` on the wire, as version 0.1 does."""
    lists: bool = True
    look: bool = False
    """Only look whether the URL redirects: one request, without a session."""
    seconds: float = 0
    """For all of it; 0: the proxy's own."""


class Probe(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a server said it speaks and offers; where `fault` is set, nothing else is."""

    era: Literal["", "legacy", "modern"] = ""
    version: str = ""
    server_name: str = ""
    server_version: str = ""
    capabilities: list[str] = []
    tools: list[dict[str, object]] = []
    """Definitions as listed, all pages, by the server's own names."""
    resources: list[dict[str, object]] = []
    rejected: list[tuple[str, str]] = []
    """Tools that were left out, with the reason."""
    notes: list[tuple[str, str]] = []
    """What else to know of the lists: name of the tool ('' for a whole list), and a sentence."""
    fault: str = ""
    """A reason word of the proxy's refusal table, such as `upstream_refused`."""
    sentence: str = ""
    """What an admin is told: what happened, what to do, and last the server's own words."""
