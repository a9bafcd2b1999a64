"""The one name of a gateway as an OAuth resource (RFC 8707), and which gateway a client means by whatever name.

Called by the authorization server, where tokens are judged, and where people are shown the URL. Clients send what
they were given: its URL by slug, by identifier or by a slug that it had before, sometimes with a slash at its end. A
token names one thing only. Pure: whether there is such a gateway is asked in `control/store/gateway_names.py`.
"""

from typing import Final
from urllib.parse import urlsplit

from core.identifiers import SLUG, is_id

PATH: Final = "/v1/mcp/"
LONGEST: Final = 2_048


def canonical_resource(public_url: str, slug: str) -> str:
    """The URL of the gateway with this slug: where clients call it, and the audience of its access tokens."""
    return f"{public_url.rstrip('/')}{PATH}{slug}"


def gateway_named_by(resource: str, public_url: str) -> str | None:
    """The slug or identifier of the gateway that a resource means; None for what is no gateway's URL of ours.

    Scheme and host are compared without case (RFC 3986 section 6.2.2.1), the path to the letter.
    """
    if len(resource) > LONGEST or "#" in resource or not resource.isascii():
        return None
    try:
        asked, ours = urlsplit(resource), urlsplit(public_url.rstrip("/"))
        same = (asked.scheme, asked.hostname, _port(asked.port, asked.scheme)) == (
            ours.scheme, ours.hostname, _port(ours.port, ours.scheme),
        )  # fmt: skip
    except ValueError:
        return None
    if not same or asked.query or asked.username is not None or asked.password is not None:
        return None
    prefix = ours.path + PATH
    if not asked.path.startswith(prefix):
        return None
    name = asked.path.removeprefix(prefix).removesuffix("/")
    return name if SLUG.fullmatch(name) or is_id(name) else None


def _port(port: int | None, scheme: str) -> int | None:
    return port if port is not None else {"http": 80, "https": 443}.get(scheme)
