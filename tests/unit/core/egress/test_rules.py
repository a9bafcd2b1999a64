"""What a server may reach, as it travels between the planes, and what is permitted by it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.egress.rules import SHUT, Allowed, EgressMode, EgressRules, is_address, matches

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?", fullmatch=True)
RULES = EgressRules(
    mode="restricted",
    allowed=(
        Allowed(cidrs=("203.0.113.0/24", "2001:db8::/48"), ports=("5432-5440",)),
        Allowed(domains=("api.example.com", "*.one.example", "**.any.example"), ports=("443", "8443")),
    ),
)
SHUT_ALWAYS = (
    "169.254.169.254",
    "169.254.170.2",
    "fe80::1",
    "fd00:ec2::254",
    "168.63.129.16",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "::a9fe:a9fe",
)


def test_rules_come_through_as_they_were() -> None:
    """A policy that allows one host is the same one in the other plane."""
    rules = EgressRules(mode="restricted", allowed=(Allowed(domains=("api.example.com",)),))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(rules), type=EgressRules) == rules


def test_where_nothing_is_said_everything_is_allowed() -> None:
    """A plane of the version before says nothing."""
    assert msgspec.msgpack.decode(msgspec.msgpack.encode({}), type=EgressRules).mode == "all"


@pytest.mark.parametrize(
    "host", ["api.example.com", "API.example.com.", "a.one.example", "a.any.example", "a.b.any.example"]
)
def test_a_host_is_permitted_by_its_name_and_on_its_ports(host: str) -> None:
    assert RULES.permits_host(host, 443)
    assert RULES.permits_host(host, 8443)
    assert not RULES.permits_host(host, 5432)


@pytest.mark.parametrize(
    "host",
    [
        "example.com", "one.example", "a.b.one.example", "any.example", "xany.example", ".any.example",
        ".one.example", "api.example.com.evil.example", "203.0.113.7", "", ".",
    ],
)  # fmt: skip
def test_no_other_host_is_permitted(host: str) -> None:
    assert not RULES.permits_host(host, 443)


def test_a_host_that_is_an_address_is_judged_as_one() -> None:
    assert RULES.permits_host("203.0.113.7", 5432)
    assert RULES.permits_host("[2001:db8::7]", 5440)
    assert not EgressRules().permits_host("169.254.169.254", 80)


def test_an_address_is_permitted_in_its_networks_and_on_their_ports() -> None:
    assert RULES.permits_address("203.0.113.7", 5432)
    assert RULES.permits_address("::ffff:203.0.113.7", 5432)
    assert not RULES.permits_address("203.0.113.7", 443)
    assert not RULES.permits_address("203.0.114.7", 5432)
    assert not RULES.permits_address("api.example.com", 443)


@pytest.mark.parametrize("ip", SHUT_ALWAYS)
@pytest.mark.parametrize(
    "rules",
    [
        EgressRules(),
        EgressRules(mode="restricted", allowed=(Allowed(cidrs=("0.0.0.0/0", "::/0"), ports=("1-65535",)),)),
    ],
    ids=["all", "all networks"],
)
def test_link_local_and_metadata_are_permitted_by_nothing(ip: str, rules: EgressRules) -> None:
    assert not rules.permits_address(ip, 80)
    assert not rules.permits_host(ip, 80)


def test_off_permits_nothing() -> None:
    off = EgressRules(mode="off", allowed=RULES.allowed)
    assert not off.permits_host("api.example.com", 443)
    assert not off.permits_address("203.0.113.7", 5432)
    assert not off.has_domains


def test_restricted_to_nothing_is_off() -> None:
    assert not EgressRules(mode="restricted").permits_address("203.0.113.7", 443)


def test_all_permits_what_is_not_shut() -> None:
    assert EgressRules().permits_host("anything.example", 1)
    assert EgressRules().permits_address("10.0.0.1", 65535)


@given(st.lists(LABELS, min_size=1, max_size=5), st.lists(LABELS, min_size=2, max_size=3))
def test_a_wildcard_takes_as_many_labels_as_it_says(before: list[str], name: list[str]) -> None:
    apex = ".".join(name)
    host = ".".join([*before, *name])
    assert matches(f"**.{apex}", host)
    assert matches(f"*.{apex}", host) == (len(before) == 1)
    assert not matches(apex, host)
    assert not matches(f"*.{apex}", apex)
    assert not matches(f"**.{apex}", apex)


@given(st.text(max_size=30), st.integers(-1, 70000))
def test_any_text_may_be_asked_about(host: str, port: int) -> None:
    assert not EgressRules(mode="off").permits_host(host, port)
    assert not RULES.permits_address(f"{host}.x", port)


def test_what_is_shut_holds_ipv4_also_as_a_translator_sees_it() -> None:
    assert {"169.254.0.0/16", "64:ff9b::a9fe:0/112"} <= {str(one) for one in SHUT}


@pytest.mark.parametrize(("mode", "groups"), [("off", ()), ("all", ()), ("restricted", RULES.allowed)])
def test_destinations_count_where_the_mode_restricts_alone(mode: EgressMode, groups: tuple[Allowed, ...]) -> None:
    rules = EgressRules(mode, RULES.allowed)
    assert (rules.groups, rules.has_domains) == (groups, bool(groups))


@pytest.mark.parametrize("host", ["203.0.113.9", "[2001:DB8::1]", "2001:db8::1", "::ffff:203.0.113.9"])
def test_a_host_that_is_an_address_is_known_with_brackets_and_without(host: str) -> None:
    assert is_address(host)
    assert not is_address(f"x{host}.example")
