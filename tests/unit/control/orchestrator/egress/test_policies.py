"""What confines a server, in each cluster: as its own documentation reads, never more than the rules.

Read by `tests/kube/policy_reading.py`, which knows nothing of how the objects were made.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from control.orchestrator.egress.capabilities import Capabilities
from control.orchestrator.egress.policies import policies
from control.orchestrator.kinds import Object, applied
from control.registry.cluster_dns import NODE_CACHE
from control.servers.runtime import Refused
from core.egress.destinations import checked, checked_cidr
from core.egress.rules import Allowed, EgressRules, matches
from tests.kube.egress_cases import CLUSTERS, MODES, SHUT_BY_OPERATOR, policies_of
from tests.kube.policy_reading import added_by_gke, may_ask_for, reaches_address, reaches_name, reaches_pods
from tests.kube.policy_schemas import complaints
from tests.kube.wanted_servers import DEFAULTS, HTTP, INSTALLATION
from tests.kubernetes_schemas import NEWEST_MINORS, said_against

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,3}[a-z0-9])?", fullmatch=True).filter(lambda one: "--" not in one)
APEXES = st.lists(LABELS, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "example"]))
DOMAINS = st.builds(str.__add__, st.sampled_from(["", "*.", "**."]), APEXES)
PORTS = st.one_of(
    st.integers(1, 65_535).map(str),
    st.tuples(st.integers(1, 65_000), st.integers(1, 30)).map(lambda pair: f"{pair[0]}-{pair[0] + pair[1]}"),
)
SPECIAL = st.sampled_from(
    ["0.0.0.0/0", "::/0", "169.0.0.0/8", "10.0.0.0/8", "10.96.0.0/16", "fd00::/8", "64:ff9b::/96"]
)


def _cidr(address: ipaddress.IPv4Address | ipaddress.IPv6Address, length: int) -> str | None:
    network = ipaddress.ip_network((address, min(length, address.max_prefixlen)), strict=False)
    try:
        return checked_cidr(str(network))
    except ValueError:
        return None


CIDRS = SPECIAL | st.builds(_cidr, st.ip_addresses(), st.integers(0, 128)).filter(bool).map(str)
GROUPS = st.builds(
    Allowed,
    cidrs=st.lists(CIDRS, max_size=3).map(tuple),
    domains=st.lists(DOMAINS, max_size=3).map(tuple),
    ports=st.lists(PORTS, min_size=1, max_size=3).map(tuple),
).map(checked)
RULES = st.builds(
    EgressRules,
    mode=st.sampled_from(["off", "all", "restricted", "restricted", "restricted"]),
    allowed=st.lists(GROUPS, max_size=3).map(tuple),
)
NEVER = st.sampled_from([(), SHUT_BY_OPERATOR])
ADDRESSES = st.ip_addresses().map(str) | st.sampled_from(
    ["169.254.169.254", "169.253.0.1", "10.96.0.1", "10.0.0.1", "fd00:ec2::254", "fd12::1", "64:ff9b::a9fe:a9fe"]
)


def made(cluster: str, rules: EgressRules, **changed: object) -> list[Object]:
    try:
        return policies_of(cluster, rules, **changed)
    except Refused:
        assume(False)
        raise


@pytest.mark.parametrize("version", NEWEST_MINORS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cluster", CLUSTERS)
def test_nobody_has_anything_against_the_form_of_them(cluster: str, mode: str, version: str) -> None:
    try:
        found = policies_of(cluster, MODES[mode])
    except Refused:
        assert (CLUSTERS[cluster].provider, mode) == ("kubernetes", "names")
        return
    assert [said for one in found for said in complaints(one)] == []
    built_in = [one for one in found if one["kind"] == "NetworkPolicy"]
    assert {said_against(one, version) for one in built_in} == {""}


@given(st.sampled_from(sorted(CLUSTERS)), RULES, NEVER)
def test_whatever_the_rules_are_their_form_is_good(cluster: str, rules: EgressRules, never: object) -> None:
    found = made(cluster, rules, never=never)
    assert [said for one in found for said in complaints(one)] == []
    kinds = [kind.kind for kind in applied(CLUSTERS[cluster].provider)]
    order = [kinds.index(one["kind"]) for one in found]
    assert order == sorted(order)


@given(st.sampled_from(sorted(CLUSTERS)), RULES, NEVER, ADDRESSES, st.integers(1, 65_535))
def test_an_address_is_reached_where_the_rules_permit_it_and_nowhere_else(
    cluster: str, rules: EgressRules, never: tuple[ipaddress.IPv4Network, ...], ip: str, port: int
) -> None:
    address = ipaddress.ip_address(ip)
    assume(not (port == 53 and ip in CLUSTERS[cluster].dns.addresses))
    assume(getattr(address, "ipv4_mapped", None) is None)
    ports = [port] + [int(text.split("-")[0]) for group in rules.allowed for text in group.ports]
    first = [str(ipaddress.ip_network(cidr)[0]) for group in rules.allowed for cidr in group.cidrs]
    found = made(cluster, rules, never=never)
    for one in (ip, *first):
        shut = any(ipaddress.ip_address(one) in network for network in never)
        for of_it in ports:
            permitted = rules.permits_address(one, of_it) and not shut
            assert reaches_address(found, one, of_it) == permitted or (of_it == 53 and one == NODE_CACHE)


@given(st.sampled_from(sorted(CLUSTERS)), RULES, st.lists(LABELS, max_size=5), st.integers(1, 65_535))
def test_a_name_is_reached_only_where_the_rules_permit_it(
    cluster: str, rules: EgressRules, before: list[str], port: int
) -> None:
    found = made(cluster, rules)
    domains = [domain for group in rules.allowed for domain in group.domains]
    ports = [port] + [int(text.split("-")[0]) for group in rules.allowed for text in group.ports]
    for apex in [domain.lstrip("*.") for domain in domains] or ["other.example"]:
        host = ".".join([*before, apex])
        for of_it in ports:
            reached = reaches_name(found, host, of_it) or added_by_gke(found, host, of_it)
            assert reached <= rules.permits_host(host, of_it)
            if rules.mode == "restricted" and len(before) <= 3:
                assert reached == rules.permits_host(host, of_it)


@settings(max_examples=25)
@given(RULES.filter(lambda rules: rules.has_domains), st.lists(LABELS, max_size=4))
def test_in_a_cluster_with_cilium_names_that_are_not_allowed_cannot_even_be_asked_for(
    rules: EgressRules, before: list[str]
) -> None:
    found = made("cilium", rules)
    domains = [domain for group in rules.allowed for domain in group.domains]
    for apex in (*(domain.lstrip("*.") for domain in domains), "tunnel.evil.example"):
        host = ".".join([*before, apex])
        asked = may_ask_for(found, host)
        assert asked <= any(matches(domain, host) for domain in domains)
        for searched in ("servers.svc.cluster.local", "svc.cluster.local", "cluster.local"):
            assert may_ask_for(found, f"{host}.{searched}") == asked
    assert not may_ask_for(found, "data.tunnel.attacker.test")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cluster", CLUSTERS)
def test_whoever_answers_for_names_is_asked_in_every_mode(cluster: str, mode: str) -> None:
    found = made(cluster, MODES[mode]) if (CLUSTERS[cluster].provider, mode) != ("kubernetes", "names") else None
    for address in CLUSTERS[cluster].dns.addresses if found else ():
        assert reaches_address(found or [], address, 53, "UDP")
        assert reaches_address(found or [], address, 53, "TCP")


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_everything_includes_pods_unless_an_operator_shuts_networks(cluster: str) -> None:
    """Not every plug-in finds pods among addresses; those it finds may be in what is shut."""
    assert reaches_pods(policies_of(cluster, MODES["all"]))
    assert not reaches_pods(policies_of(cluster, MODES["all"], never=SHUT_BY_OPERATOR))
    assert not reaches_pods(policies_of(cluster, MODES["off"]))
    assert not reaches_pods(policies_of(cluster, MODES["networks"]))


@pytest.mark.parametrize(
    ("provider", "allowed", "said"),
    [
        ("kubernetes", Allowed(domains=("api.example.com",)), "holds networks only"),
        ("aws", Allowed(domains=("*.example.com",)), r"\*.example.com can only be held .* Write `\*\*.`"),
        ("gke", Allowed(domains=("api.example.com",), ports=("1-65535",)), "takes no ranges"),
    ],
)
def test_what_a_cluster_cannot_hold_is_refused_with_the_reason(provider: str, allowed: Allowed, said: str) -> None:
    wanted = replace(HTTP, egress=EgressRules(mode="restricted", allowed=(allowed,)))
    with pytest.raises(Refused, match=said) as caught:
        policies(wanted, DEFAULTS, Capabilities(provider=provider))  # type: ignore[arg-type]
    assert caught.value.cause == "egress_not_possible"


@pytest.mark.parametrize("provider", ["kubernetes", "aws", "gke"])
def test_names_in_rules_that_name_nothing_else_are_no_matter(provider: str) -> None:
    """Only `restricted` looks at what is allowed."""
    for mode in ("off", "all"):
        rules = EgressRules(mode=mode, allowed=(Allowed(domains=("*.example.com",)),))  # type: ignore[arg-type]
        assert policies(replace(HTTP, egress=rules), DEFAULTS, Capabilities(provider=provider))  # type: ignore[arg-type]


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_they_select_the_pods_of_one_installation_and_no_two_share_a_name(cluster: str) -> None:
    found = policies_of(cluster, MODES["networks"])
    for one in found:
        spec = one["spec"]
        assert INSTALLATION in (spec.get("podSelector") or spec["endpointSelector"])["matchLabels"].values()
        assert one["metadata"]["namespace"] == "servers"
    if CLUSTERS[cluster].provider == "aws":
        assert len({one["metadata"]["name"] for one in found}) == len(found)
