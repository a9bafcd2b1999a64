import pytest

from control.processes.open_listeners import open_listeners
from control.settings import ControlSettings

LOOPBACK = {
    "database_url": "postgresql://db", "redis_url": "redis://r", "secret_key": "s", "proxy_key": "p",
    "signing_key": "g", "public_url": "http://127.0.0.1:8400",
}  # fmt: skip


def test_a_platform_on_loopback_has_none():
    assert open_listeners(ControlSettings(**LOOPBACK, issuer_url="http://localhost:8400")) == ()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("admin_listen", "0.0.0.0:8401"),
        ("control_internal_listen", "10.0.0.5:8402"),
        ("control_public_listen", "[::]:8404"),
        ("control_metrics_listen", "metrics.internal:9100"),
        ("public_url", "https://gateway.example.com"),
        ("issuer_url", "https://sign-in.example.com"),
        ("proxy_internal_url", ("http://127.0.0.1:8403", "http://proxy.internal:8403")),
    ],
)
def test_one_that_others_can_reach_is_named_by_its_variable(setting, value):
    assert open_listeners(ControlSettings(**LOOPBACK | {setting: value})) == (f"ARCHWAY_{setting.upper()}",)
