"""Who answers for names, as an operator or a pod's resolver says it."""

import pytest

from control.registry.cluster_dns import NODE_CACHE, USUAL_PEERS, ClusterDns, DnsPeer, as_named, as_resolved

RESOLV_CONF = """\
search archway.svc.corp.example svc.corp.example corp.example ec2.internal
nameserver 10.100.0.10
options ndots:5
"""


def test_pods_and_addresses_are_named_in_one_list() -> None:
    assert as_named(("openshift-dns/dns.operator.openshift.io/daemonset-dns=default", " fd00:0::A ")) == ClusterDns(
        peers=(DnsPeer("openshift-dns", "dns.operator.openshift.io/daemonset-dns", ("default",)),),
        addresses=("fd00::a",),
    )
    assert as_named(()) is None


@pytest.mark.parametrize(
    "text", ["kube-dns", "10.0.0.0/8", "a/b", "a/b=c=d", "169.254.169.254", "0.0.0.0", "224.0.0.1"]
)
def test_what_names_nobody_or_a_metadata_service_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither an address|not opened"):
        as_named((text,))


def test_a_pod_is_told_who_is_asked_and_what_is_searched() -> None:
    """Its own namespace is left out: that of servers comes in its place."""
    dns = as_resolved(RESOLV_CONF, None)
    assert dns.addresses == ("10.100.0.10", NODE_CACHE)
    assert dns.domains == ("svc.corp.example", "corp.example", "ec2.internal")
    assert dns.peers == USUAL_PEERS


def test_what_is_named_goes_over_what_the_pod_is_told() -> None:
    dns = as_resolved(RESOLV_CONF, as_named(("10.0.0.10",)))
    assert (dns.peers, dns.addresses) == ((), ("10.0.0.10",))
    assert dns.domains[0] == "svc.corp.example"


@pytest.mark.parametrize("text", ["", "nameserver nonsense\n", "nameserver 169.254.169.254\nsearch home.arpa\n"])
def test_where_a_resolver_tells_nothing_of_use_the_usual_is_taken(text: str) -> None:
    assert as_resolved(text, None) == ClusterDns()
