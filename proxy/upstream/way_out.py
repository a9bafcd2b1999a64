"""What an admin can do about a server that could not be discovered: sentences that follow the fault. Pure.

Called by `probe.py` with the refusal that ended a discovery. What is known of the network is in `faults.why`.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from core.resolve import ResolvedInstallation
from proxy.refusals import Refusal
from proxy.upstream.faults import why
from proxy.upstream.redirects import redirect_words

PIN_LEGACY: Final = (
    "If it is an older server, pin its installation: `archway installations update ... --protocol legacy`."
)
_UNPIN: Final = (
    "The installation is pinned to another revision: `archway installations update ... --protocol auto` finds out "
    "what it speaks."
)
_CREDENTIAL: Final = "Give another one: `archway installations update ... --credential`."
_NO_CREDENTIAL: Final = (
    "It was asked without a credential: give the entry a credential model, or the header that the server wants."
)
_OAUTH: Final = "It offers a sign-in by OAuth, which Archway cannot do yet."
_HEADER: Final = (
    "If a header is missing or wrong, let the entry send it: `archway entries update ... --header NAME`, or a field."
)
_HOST: Final = "It refuses the host name that it is called by: allow the host of the URL in the server's settings."
_NO_PATH: Final = "The URL has no path; most servers answer at /mcp."
_HEADER_STATUSES: Final = {400, 406, 412, 415, 422, 428}
_ABOUT_HOST = re.compile(r"\b(host|origin) (header|not allowed)|\binvalid (host|origin)|dns rebinding", re.IGNORECASE)


def way_out(refusal: Refusal, installation: ResolvedInstallation, era: str = "") -> str:
    """What to do, in sentences; `era` is what the server spoke, where the fault came after it had said so."""
    location, status = refusal.words.get("location"), refusal.words.get("status")
    if isinstance(location, str) and isinstance(status, int) and 300 <= status < 400:
        return redirect_words(installation.url, location)
    return " ".join(filter(None, (why(refusal), _cure(refusal, installation), _pin(refusal, installation, era))))


def _cure(refusal: Refusal, installation: ResolvedInstallation) -> str:
    status = refusal.words.get("status")
    if status in {403, 421} and _ABOUT_HOST.search(refusal.said):
        return _HOST
    if refusal.reason == "upstream_credential":
        cure = _CREDENTIAL if installation.own_headers else _NO_CREDENTIAL
        return f"{_OAUTH} {cure}" if refusal.words.get("offers_oauth") else cure
    if status in {404, 405} and urlsplit(installation.url).path in {"", "/"}:
        return _NO_PATH
    if status in _HEADER_STATUSES or (refusal.reason == "upstream_error" and "header" in refusal.said.lower()):
        return _HEADER
    return ""


def _pin(refusal: Refusal, installation: ResolvedInstallation, era: str) -> str:
    """Another value of the installation's `protocol`, where that may help."""
    if refusal.reason == "upstream_era" and installation.protocol != "auto":
        return _UNPIN
    if installation.protocol == "legacy" or refusal.reason == "upstream_credential":
        return ""
    silent = refusal.reason == "upstream_slow" and not why(refusal)
    return PIN_LEGACY if era == "modern" or (silent and not era) else ""
