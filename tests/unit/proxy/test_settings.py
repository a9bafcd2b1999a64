from __future__ import annotations

import pytest

from core.keys import BadKey, new_key, parse_key_ring
from core.settings import BadSetting
from core.signing import Signer
from proxy.settings import from_environment
from tests.fakes.proxy_parts import proxy_settings

ENVIRONMENT = {
    "ARCHWAY_REDIS_URL": "redis://127.0.0.1:6379/0",
    "ARCHWAY_CONTROL_INTERNAL_URL": "http://127.0.0.1:1",
    "ARCHWAY_PROXY_KEY": new_key(),
    "ARCHWAY_VERIFY_KEYS": Signer(parse_key_ring("signing", new_key())).public_keys,
    "ARCHWAY_PUBLIC_URL": "https://Gw.Example:443/base",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_the_environment_is_enough(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ARCHWAY_ALLOWED_ORIGINS", "https://app.example, https://other.example:8443")
    settings = from_environment()
    assert settings.hosts == {"gw.example"}
    assert settings.origins == {"https://gw.example", "https://app.example", "https://other.example:8443"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ARCHWAY_PUBLIC_URL", "gw.example"),
        ("ARCHWAY_PUBLIC_URL", "ftp://gw.example"),
        ("ARCHWAY_SOFT_AGE", "7200"),
        ("ARCHWAY_TRUSTED_PROXIES", "10.0.0.0/99"),
        ("ARCHWAY_ALLOWED_ORIGINS", "app.example"),
        ("ARCHWAY_ALLOWED_ORIGINS", "*"),
        ("ARCHWAY_ALLOWED_ORIGINS", "null"),
        ("ARCHWAY_ALLOWED_ORIGINS", "https://[::1"),
        ("ARCHWAY_MAX_BODY", "0"),
        ("ARCHWAY_BODY_SECONDS", "0"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(BadSetting, match=name):
        from_environment()


@pytest.mark.parametrize("value", ["", "short", "changeme" * 8])
def test_a_missing_or_weak_key_is_refused(environment: pytest.MonkeyPatch, value: str) -> None:
    environment.setenv("ARCHWAY_PROXY_KEY", value)
    with pytest.raises((BadKey, BadSetting), match="ARCHWAY_PROXY_KEY"):
        from_environment()


@pytest.mark.parametrize("url", ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"])
def test_loopback_answers_to_all_its_names(url: str) -> None:
    assert proxy_settings(public_url=url).hosts == {"localhost", "127.0.0.1", "[::1]"}


def test_hosts_are_lower_case_with_ipv6_in_brackets_and_never_empty() -> None:
    settings = proxy_settings(
        public_url="https://[2001:DB8::1]", allowed_hosts=(" Other.Example ", "", "2001:db8::2")
    )
    assert settings.hosts == {"[2001:db8::1]", "other.example", "[2001:db8::2]"}


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("HTTPS://Gw.Example:443", "https://gw.example"),
        ("http://gw.example:80/x", "http://gw.example"),
        ("http://[2001:DB8::1]:8080", "http://[2001:db8::1]:8080"),
    ],
)
def test_an_origin_is_spelled_as_browsers_spell_it(url: str, origin: str) -> None:
    assert proxy_settings(public_url=url).origins == {origin}


def test_secrets_do_not_come_with_the_repr() -> None:
    settings = proxy_settings(redis_url="redis://:a-password@127.0.0.1/0", https_proxy="http://user:pass@proxy:1")
    assert settings.proxy_key not in repr(settings.key_ring)
    assert repr(settings) == f"{settings}" == "ProxySettings(http://gw.example:8080)"
