"""Which network an address counts as."""

from __future__ import annotations

import pytest

from control.registry.network import network_of


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::ffff", "2001:0db8:0001:0002"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("nonsense", "nonsense"),
    ],
)
def test_whoever_has_an_address_of_ipv6_has_the_whole_network_of_it(address: str, counted: str) -> None:
    assert network_of(address) == counted
