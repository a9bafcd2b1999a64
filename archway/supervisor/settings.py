"""What the supervisor needs to know, out of the whole of the proxy's settings: a bad one among them ends the start
with a sentence instead of a row of dying workers."""

from archway.supervisor.orders import Listeners, Supervision
from core.settings import host_port
from proxy.settings import ProxySettings


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
        settings.log_level,
    )
