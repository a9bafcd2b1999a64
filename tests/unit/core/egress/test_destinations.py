"""What may be written as a destination, and what a mistake is answered with."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.egress.destinations import (
    MOST_CIDRS,
    MOST_DOMAINS,
    MOST_PORTS,
    BadDestination,
    checked,
    checked_cidr,
    checked_domain,
    checked_ports,
)
from core.egress.rules import Allowed, EgressRules, port_range


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8:0:0::/48", "2001:db8::/48"),
        ("203.0.113.7/32", "203.0.113.7/32"),
    ],
)
def test_a_network_comes_back_in_its_one_form(text: str, normal: str) -> None:
    assert checked_cidr(text) == normal


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("203.0.113.7/24", "write 203.0.113.0/24"),
        ("203.0.113.7", "write 203.0.113.7/32"),
        ("10.0.0.0/255.0.0.0", "write 10.0.0.0/8"),
        ("::ffff:10.0.0.0/104", "write it as IPv4"),
        ("169.254.169.254/32", "leave it out"),
        ("169.254.0.0/16", "leave it out"),
        ("fe80::/64", "leave it out"),
        ("fd00:ec2::254/128", "leave it out"),
        ("168.63.129.16/32", "leave it out"),
        ("64:ff9b::a9fe:a9fe/128", "leave it out"),
        ("2002:a9fe:a9fe::/48", "leave it out"),
        ("fe80::%eth0/64", "write it like"),
        ("example.com", "write it like"),
        ("", "write it like"),
        ("0x0a000000/8", "write it like"),
        ("010.0.0.0/8", "write it like"),
    ],
)
def test_a_bad_network_is_refused_with_the_cure(text: str, cure: str) -> None:
    with pytest.raises(ValueError, match=cure):
        checked_cidr(text)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("API.Example.COM.", "api.example.com"),
        ("*.example.com", "*.example.com"),
        ("**.example.co.uk", "**.example.co.uk"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("1password.com", "1password.com"),
    ],
)
def test_a_domain_comes_back_in_its_one_form(text: str, normal: str) -> None:
    assert checked_domain(text) == normal


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("bücher.example", "xn--"),
        ("*.com", "at least two labels"),
        ("**.com", "at least two labels"),
        ("*", "wildcards stand in front"),
        ("api.*.example.com", "wildcards stand in front"),
        ("a*.example.com", "wildcards stand in front"),
        ("*.*.example.com", "wildcards stand in front"),
        ("**.*.example.com", "wildcards stand in front"),
        ("***.example.com", "wildcards stand in front"),
        ("localhost", "at least two labels"),
        ("a.localhost", "at least two labels"),
        ("com", "at least two labels"),
        ("203.0.113.7", "203.0.113.7/32"),
        ("127.1", "read as an address; those are networks, such as 203.0.113.7/32"),
        ("a.0x7f", "203.0.113.7/32"),
        ("2001:db8::1", "write it like"),
        ("https://example.com", "write it like"),
        ("example.com/path", "write it like"),
        ("example.com:443", "write it like"),
        ("a..example.com", "write it like"),
        ("-a.example.com", "write it like"),
        ("a_b.example.com", "write it like"),
        ("example.com\n", "write it like"),
        ("", "write it like"),
        ("a" * 64 + ".example.com", "write it like"),
        ("a." * 126 + "example", "write it like"),
    ],
)
def test_a_bad_domain_is_refused_with_the_cure(text: str, cure: str) -> None:
    with pytest.raises(ValueError, match=cure):
        checked_domain(text)


@pytest.mark.parametrize(("text", "normal"), [("443", "443"), ("5432-5440", "5432-5440"), ("80-80", "80")])
def test_ports_come_back_in_their_one_form(text: str, normal: str) -> None:
    assert checked_ports(text) == normal


@pytest.mark.parametrize(
    "text", ["0", "65536", "1-65536", "443,80", "http", "-1", "10-5", "", "0443", "٤٤٣", "443\n"]
)
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|end at"):
        checked_ports(text)


@pytest.mark.parametrize(
    ("allowed", "field"),
    [
        (Allowed(cidrs=("10.0.0.1/8",)), "cidrs"),
        (Allowed(domains=("*.com",)), "domains"),
        (Allowed(ports=("0",)), "ports"),
        (Allowed(ports=()), "ports"),
        (Allowed(cidrs=tuple(f"10.0.{n}.0/24" for n in range(MOST_CIDRS + 1))), "cidrs"),
        (Allowed(domains=tuple(f"n{n}.example.com" for n in range(MOST_DOMAINS + 1))), "domains"),
        (Allowed(ports=tuple(str(n + 1) for n in range(MOST_PORTS + 1))), "ports"),
    ],
)
def test_an_error_names_its_field(allowed: Allowed, field: str) -> None:
    with pytest.raises(BadDestination) as caught:
        checked(allowed)
    assert caught.value.field == field


def test_what_is_named_twice_is_kept_once() -> None:
    made = checked(Allowed(cidrs=("10.0.0.0/8", "10.0.0.0/8"), domains=("A.example.com", "a.example.com")))
    assert (made.cidrs, made.domains, made.ports) == (("10.0.0.0/8",), ("a.example.com",), ("443",))


@given(st.text(max_size=60))
def test_any_text_is_taken_or_refused_and_what_is_taken_stays_as_it_is(text: str) -> None:
    for check in (checked_cidr, checked_domain, checked_ports):
        try:
            normal = check(text)
        except ValueError:
            continue
        assert check(normal) == normal


NOT_IPV4_IN_IPV6_FORM = st.ip_addresses().filter(lambda one: getattr(one, "ipv4_mapped", None) is None)
"""An address of the other kind is an IPv4 one to every rule, and no network is written so."""


@given(NOT_IPV4_IN_IPV6_FORM, st.integers(0, 128))
def test_a_network_that_is_taken_opens_each_of_its_addresses_that_is_not_shut(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, length: int
) -> None:
    network = ipaddress.ip_network((address, min(length, address.max_prefixlen)), strict=False)
    try:
        cidr = checked_cidr(str(network))
    except ValueError:
        assert not EgressRules().permits_address(str(network[0]), 443)
        return
    rules = EgressRules(mode="restricted", allowed=(Allowed(cidrs=(cidr,)),))
    for one in (network[0], network[-1], address):
        assert rules.permits_address(str(one), 443) == EgressRules().permits_address(str(one), 443)


@given(st.integers(1, 65535), st.integers(1, 65535))
def test_a_range_of_ports_is_read_as_it_was_written(first: int, last: int) -> None:
    low, high = sorted((first, last))
    assert port_range(checked_ports(f"{low}-{high}")) == (low, high)
