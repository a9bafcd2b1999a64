"""A client that is known by a document of its own at an https URL (Client ID Metadata Document). Pure.

The URL is the client's identifier, so it has one way to be written, and the document must repeat it to the letter.
Called by `documents.py`, which fetches. Every refusal is told in one sentence, since the words of another would say
what answers at an address that only we reach.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from control.oauth.clients.described import described
from control.oauth.errors import NotSentBack, OAuthRefused
from control.registry.oauth_client import SECRET_METHODS, ClientFields
from core.egress.addresses import ANYWHERE, PublicUrl, UrlRefused, check_url

LONGEST_URL: Final = 1_024
LEAST_FRESH_S: Final = 30.0
MOST_FRESH_S: Final = 24 * 3600.0
USUALLY_FRESH_S: Final = 300.0
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)+")
_DOTS: Final = frozenset({".", ".."})
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=\"?(\d{1,9})")
_SECRETS: Final = ("client_secret", "client_secret_expires_at")


def is_document_url(client_id: str) -> bool:
    """Whether a client names itself by a URL; our own identifiers are none."""
    return client_id.startswith(("https:", "http:", "HTTPS:", "HTTP:"))


def checked_url(client_id: str) -> PublicUrl:
    """The URL, if it may be an identifier: https, in its one form, with a path; raises NotSentBack."""
    try:
        url = check_url(client_id, ANYWHERE, purpose="client_id") if len(client_id) <= LONGEST_URL else None
    except UrlRefused:
        url = None
    if url is None or url != client_id or not _has_plain_path(url):
        raise unusable()
    return url


def client_of(body: bytes, client_id: str) -> ClientFields:
    """The client that a document describes; raises NotSentBack for one that is none, or is another's."""
    try:
        document = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise unusable() from None
    if document.get("client_id") != client_id or not isinstance(document.get("client_name"), str):
        raise unusable()
    # A secret that stands in a public document is none (section 4.1 of the draft).
    if any(name in document for name in _SECRETS) or document.get("token_endpoint_auth_method") in SECRET_METHODS:
        raise unusable()
    try:
        return described(document, unnamed=urlsplit(client_id).hostname or "a client")
    except OAuthRefused:
        raise unusable() from None


def is_json(content_type: str) -> bool:
    """Whether a document says that it is JSON."""
    media = content_type.partition(";")[0].strip().lower()
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def fresh_for(headers: Mapping[str, str]) -> float:
    """Seconds for which a document is used without asking again: as it says, within our bounds."""
    told = headers.get("Cache-Control", "").lower()
    if "no-store" in told or "no-cache" in told:
        return LEAST_FRESH_S
    age = _MAX_AGE.search(told)
    return min(max(float(age[1]), LEAST_FRESH_S), MOST_FRESH_S) if age else USUALLY_FRESH_S


def unusable() -> NotSentBack:
    """The one sentence for all that can be wrong with a document."""
    return NotSentBack(
        "invalid_client",
        "The client's own document cannot be used: it is not there, or does not describe this client.",
        cure="The client's document must be at its client_id, over https, without a redirect, as JSON, and this "
        "deployment must reach it: open the client_id in a browser, then ask the client's makers.",
    )


def _has_plain_path(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.query or parts.path in ("", "/") or not _PATH.fullmatch(parts.path):
        return False
    return not any(segment.lower().replace("%2e", ".") in _DOTS for segment in parts.path.split("/"))
