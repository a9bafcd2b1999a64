"""Which listeners of the platform others than this machine can reach, by the variables that set them.

A proxy's own listener is known here by the URL under which it is reached.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from control.settings import ControlSettings
from core.settings import host_port, variable

_LISTENERS = ("admin_listen", "control_internal_listen", "control_public_listen", "control_metrics_listen")


def open_listeners(settings: ControlSettings) -> tuple[str, ...]:
    """Names of variables; none where all is loopback."""
    hosts = [(name, host_port(name, text)[0]) for name in _LISTENERS if (text := getattr(settings, name))]
    urls = [("public_url", settings.public_url), ("issuer_url", settings.issuer_url)]
    urls += [("proxy_internal_url", url) for url in settings.proxy_internal_url]
    hosts += [(name, urlsplit(url).hostname or "") for name, url in urls if url]
    return tuple(dict.fromkeys(variable(name) for name, host in hosts if not _is_loopback(host)))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
