"""What is tried for each kind of rules; that the rules themselves allow and deny it."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from control.orchestrator.probing.trials import METADATA, NOBODY, trial_of
from control.registry.enforcement import RuleKind
from control.registry.probe_targets import probe_targets
from core.egress.rules import Allowed, EgressRules

OURS = ("10.1.0.9:8081", "10.1.0.9:8082")
TARGETS = probe_targets(["192.0.2.7:443", "example.com:443"])


def test_off_allows_names_to_be_asked_for_and_nothing_else() -> None:
    trial = trial_of("off", "10.1.0.9", TARGETS)
    assert trial.rules == EgressRules("off")
    assert trial.opens == ("nameserver",)
    assert trial.shuts == (*OURS, "192.0.2.7:443", "example.com:443", "api-server")


def test_without_targets_a_network_is_that_of_the_probes_own_pod_on_one_of_its_ports() -> None:
    trial = trial_of("cidr", "10.1.0.9", ())
    assert trial.rules == EgressRules("restricted", (Allowed(cidrs=("10.1.0.9/32",), ports=("8081",)),))
    assert (trial.opens, trial.shuts) == (OURS[:1], (OURS[1], "api-server"))


def test_a_given_address_is_allowed_in_its_place() -> None:
    trial = trial_of("cidr", "10.1.0.9", TARGETS)
    assert trial.rules == EgressRules("restricted", (Allowed(cidrs=("192.0.2.7/32",), ports=("443",)),))
    assert (trial.opens, trial.shuts) == (("192.0.2.7:443",), (*OURS, "example.com:443", "api-server"))


def test_a_given_name_is_the_host_that_is_allowed() -> None:
    trial = trial_of("domain", "10.1.0.9", TARGETS)
    assert trial.rules == EgressRules("restricted", (Allowed(domains=("example.com",), ports=("443",)),))
    assert (trial.opens, trial.shuts) == (("example.com:443",), (*OURS, "192.0.2.7:443", "api-server"))


def test_without_a_name_only_what_is_denied_is_tried() -> None:
    trial = trial_of("domain", "10.1.0.9", ())
    assert trial.rules.allowed[0].domains == (NOBODY,)
    assert (trial.opens, trial.shuts, trial.lacks) == ((), (*OURS, "api-server"), "a name")


def test_all_allows_everything_but_link_local() -> None:
    trial = trial_of("all", "10.1.0.9", TARGETS)
    assert trial.rules == EgressRules("all")
    assert (trial.opens, trial.shuts) == ((*OURS, "192.0.2.7:443", "example.com:443"), METADATA)


def test_what_the_operator_shuts_for_all_must_not_answer_whatever_the_rules() -> None:
    never = [ip_network("192.0.2.0/24")]
    assert trial_of("all", "10.1.0.9", TARGETS, never).shuts == (*METADATA, "192.0.2.7:443")
    cidr = trial_of("cidr", "10.1.0.9", TARGETS, never)
    assert (cidr.opens, cidr.shuts) == (OURS[:1], (OURS[1], "192.0.2.7:443", "example.com:443", "api-server"))


def test_where_pods_are_shut_for_all_another_address_must_be_given() -> None:
    never = [ip_network("10.0.0.0/8")]
    assert trial_of("all", "10.1.0.9", (), never).shuts == (*METADATA, *OURS)
    cidr = trial_of("cidr", "10.1.0.9", (), never)
    assert (cidr.opens, cidr.shuts, cidr.lacks) == ((), (*OURS, "api-server"), "an address")
    assert trial_of("cidr", "10.1.0.9", TARGETS, never).opens == ("192.0.2.7:443",)


@pytest.mark.parametrize("kind", ["off", "cidr", "domain", "all"])
def test_an_address_of_the_sixth_version_is_in_brackets(kind: RuleKind) -> None:
    trial = trial_of(kind, "2001:db8::9", ())
    assert "[2001:db8::9]:8082" in (*trial.opens, *trial.shuts)
