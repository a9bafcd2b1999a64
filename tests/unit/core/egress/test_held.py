"""What an address is held to: by name, by address, and behind a proxy that looks names up itself."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.egress.held import EgressRefused, Held, HeldUrl, Reach, host_and_port, reach_of
from core.egress.rules import Allowed, EgressRules

BOTH = EgressRules(
    "restricted", (Allowed(("10.0.0.0/8",), ("api.example.com", "*.example.org"), ("443", "8000-8010")),)
)
NAMES = EgressRules("restricted", (Allowed(domains=("api.example.com",)), Allowed(("10.0.0.0/8",), ports=("22",))))


@pytest.mark.parametrize(
    ("rules", "host", "port", "reach"),
    [
        (EgressRules("off"), "api.example.com", 443, "never"),
        (EgressRules("all"), "api.example.com", 443, "wherever"),
        (EgressRules("restricted"), "api.example.com", 443, "never"),
        (BOTH, "api.example.com", 443, "wherever"),
        (BOTH, "a.example.org", 8005, "wherever"),
        (BOTH, "a.b.example.org", 443, "by_address"),
        (BOTH, "api.example.com", 80, "never"),
        (BOTH, "10.1.2.3", 443, "wherever"),
        (BOTH, "::ffff:10.1.2.3", 443, "wherever"),
        (BOTH, "11.1.2.3", 443, "never"),
        (BOTH, "fd00::1", 443, "never"),
        (NAMES, "other.example.com", 443, "never"),
        (NAMES, "other.example.com", 22, "by_address"),
    ],
)
def test_a_host_is_reached_wherever_it_leads_or_at_some_addresses_or_never(
    rules: EgressRules, host: str, port: int, reach: Reach
) -> None:
    assert reach_of(rules, host, port) == reach


def test_a_refusal_names_host_port_and_environment() -> None:
    with pytest.raises(EgressRefused, match=r"^b.test:443: .* environment production does not allow it$"):
        Held(NAMES, "production").reach("b.test", 443)
    assert Held(BOTH, "production").why_not("b.test", 443, "10.0.0.1") is None
    why = Held(BOTH, "production").why_not("b.test", 443, "192.0.2.1")
    assert why is not None
    assert why.startswith("b.test:443: the egress policy of the environment production")
    assert why.endswith("does not allow the address 192.0.2.1")


def test_where_a_proxy_looks_names_up_a_network_allows_no_name() -> None:
    held = Held(BOTH, "production")
    assert held.reach("b.test", 443) == "by_address"
    with pytest.raises(EgressRefused, match="behind HTTPS_PROXY nobody here knows its address"):
        held.reach("b.test", 443, at_a_proxy=True)
    assert held.reach("api.example.com", 443, at_a_proxy=True) == "wherever"
    assert held.reach("10.0.0.1", 443, at_a_proxy=True) == "wherever"


def test_other_rules_and_other_environments_have_other_keys() -> None:
    keys = {Held(rules, name).key for rules in (BOTH, NAMES, EgressRules("off")) for name in ("a", "b")}
    assert len(keys) == 6
    assert Held(BOTH, "a").key == Held(EgressRules("restricted", BOTH.allowed), "a").key


def test_what_is_made_of_a_held_url_is_held_to_nothing() -> None:
    url = HeldUrl("https://api.example.com/mcp", Held(BOTH, "a"))
    assert (url, url.held) == ("https://api.example.com/mcp", Held(BOTH, "a"))
    assert not any(isinstance(one, HeldUrl) for one in (url + "/x", str(url), urljoin(url, "/x")))


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://api.example.com/mcp", "api.example.com", 443),
        ("http://10.0.0.1/", "10.0.0.1", 80),
        ("http://[fd00::1]:8000/", "fd00::1", 8000),
    ],
)
def test_host_and_port_of_a_url(url: str, host: str, port: int) -> None:
    assert host_and_port(url) == (host, port)


LABELS = st.sampled_from(["a", "b", "api"])
HOSTS = st.lists(LABELS, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "test"]))
DOMAINS = st.tuples(st.sampled_from(["", "*.", "**."]), HOSTS).map("".join)
ADDRESSES = st.sampled_from(["10.0.0.1", "10.1.0.1", "192.0.2.1", "fd00::1", "::ffff:10.0.0.1", "169.254.169.254"])
CIDRS = st.sampled_from(["10.0.0.0/16", "10.0.0.0/8", "192.0.2.1/32", "fd00::/8", "0.0.0.0/0", "::/0"])
PORTS = st.sampled_from(["443", "80", "80-8080"])
RULES = st.builds(
    EgressRules,
    st.sampled_from(["off", "all", "restricted", "restricted"]),
    st.lists(
        st.builds(
            Allowed,
            st.lists(CIDRS, max_size=2).map(tuple),
            st.lists(DOMAINS, max_size=2).map(tuple),
            st.lists(PORTS, min_size=1, max_size=2).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
)


@given(RULES, HOSTS, ADDRESSES, st.sampled_from([443, 80, 22]))
def test_a_name_is_connected_to_where_the_rules_permit_its_name_or_the_address(
    rules: EgressRules, host: str, address: str, port: int
) -> None:
    held = Held(rules, "e")
    try:
        connected = held.reach(host, port) == "wherever" or held.why_not(host, port, address) is None
    except EgressRefused:
        connected = False
    assert connected == (rules.permits_host(host, port) or rules.permits_address(address, port))


@given(RULES, ADDRESSES, st.sampled_from([443, 80, 22]))
def test_an_address_is_connected_to_where_the_rules_permit_it(rules: EgressRules, address: str, port: int) -> None:
    assert (reach_of(rules, address, port) == "wherever") == rules.permits_address(address, port)
