"""The origin of a URL: whose server it is, as far as a host has one owner.

Called where endpoints are held to their issuer, and where people are told where something goes. What is stored is
bound to whole URLs (`control/credentials/places.py`).
"""

from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """Scheme, host and port (RFC 6454 section 4), lower case, the scheme's own port left out."""
    parts = urlsplit(url)
    scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" if port in {None, _DEFAULT_PORTS.get(scheme)} else f"{scheme}://{shown}:{port}"
