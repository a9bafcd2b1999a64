from __future__ import annotations

import pytest

from control.registry.probe_targets import MOST, ProbeTarget, probe_targets
from core.egress.rules import Allowed


def test_addresses_and_names_are_told_apart() -> None:
    assert probe_targets(["192.0.2.7:443", " [2001:DB8::1]:8443", "Example.com:443", ""]) == (
        ProbeTarget("192.0.2.7", 443, is_address=True),
        ProbeTarget("2001:db8::1", 8443, is_address=True),
        ProbeTarget("example.com", 443, is_address=False),
    )


@pytest.mark.parametrize("text", ["192.0.2.7:443", "[2001:db8::1]:8443", "example.com:443"])
def test_a_target_is_written_as_it_is_read(text: str) -> None:
    assert [str(one) for one in probe_targets([text])] == [text]


def test_the_rule_for_a_target_allows_it_alone() -> None:
    address, six, name = probe_targets(["192.0.2.7:80", "[2001:db8::1]:443", "example.com:443"])
    assert address.allowed == Allowed(cidrs=("192.0.2.7/32",), ports=("80",))
    assert six.allowed == Allowed(cidrs=("2001:db8::1/128",), ports=("443",))
    assert name.allowed == Allowed(domains=("example.com",), ports=("443",))


@pytest.mark.parametrize("text", ["example.com", "example.com:0", "example.com:65536", ":443", "a b:443", "*.x:443"])
def test_what_is_no_target_is_refused_with_the_cure(text: str) -> None:
    with pytest.raises(ValueError, match=r"HOST:PORT|neither an address nor a name"):
        probe_targets([text])


def test_more_targets_than_are_needed_are_refused() -> None:
    with pytest.raises(ValueError, match="are enough"):
        probe_targets(["example.com:443"] * (MOST + 1))
