"""The origin of a URL: what a credential is bound to.

Called where a credential is given, kept and sent. When an entry moves to another origin, nobody's secret follows it.
"""

from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """Scheme, host and port (RFC 6454 section 4), lower case, the scheme's own port left out."""
    parts = urlsplit(url)
    scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" if port in {None, _DEFAULT_PORTS.get(scheme)} else f"{scheme}://{shown}:{port}"
