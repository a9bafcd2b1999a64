"""What the supervisor needs to know. It reads the whole of the proxy's settings, so that a bad one ends the start
with a sentence instead of a row of dying workers."""

from dataclasses import dataclass

from core.settings import host_port
from proxy.settings import ProxySettings


@dataclass(frozen=True, slots=True)
class Listeners:
    """Host and port of each listener; port 0 takes any."""

    proxy: tuple[str, int]
    internal: tuple[str, int]
    metrics: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Supervision:
    """One supervisor's orders."""

    listeners: Listeners
    workers: int
    grace_s: float
    """How long a leaving worker may take to finish its calls."""


def supervision_of(settings: ProxySettings, grace_s: float | None = None) -> Supervision:
    """The supervisor's part of the proxy's settings; `grace_s` (`--grace`) wins over theirs. Raises BadSetting."""
    return Supervision(
        Listeners(
            host_port("proxy_listen", settings.proxy_listen),
            host_port("proxy_internal_listen", settings.proxy_internal_listen),
            host_port("metrics_listen", settings.metrics_listen),
        ),
        settings.workers,
        settings.grace_seconds if grace_s is None else grace_s,
    )
