"""Which entries the policy of their environment shuts out, as far as names say it."""

from __future__ import annotations

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.entry import Entry
from control.registry.fields import Field
from control.registry.held_hosts import (
    check_held,
    held_to,
    held_warnings,
    in_words,
    is_permitted,
    shut_out,
    to_let_in,
    why_shut_out,
)
from control.registry.self_hosted import SelfHosted
from core.egress.held import Held
from core.egress.rules import Allowed, EgressRules
from tests.fakes.registry import an_entry

EU = EgressRules("restricted", (Allowed(domains=("eu.c.test",)),))
BOTH = EgressRules("restricted", (Allowed(domains=("eu.c.test", "us.c.test")),))
PORTS = EgressRules("restricted", (Allowed(domains=("a.test",), ports=("443", "8000-8010")),))
RULES = EgressRules(
    "restricted", (Allowed(("203.0.113.0/24",), ports=("8443",)), Allowed(domains=("api.a.test", "*.b.test")))
)
REGIONS = Field("region", "select", options=("eu", "us"))
TENANT = Field("tenant", "string")


def held(url: str, rules: EgressRules = RULES, **changes: object) -> Entry:
    return an_entry(url, held=Held(rules, "Production"), environment_id="v1", **changes)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.a.test/mcp", ""),
        ("https://x.b.test/mcp", ""),
        ("https://x.y.b.test/mcp", "x.y.b.test:443"),
        ("http://api.a.test/mcp", "api.a.test:80"),
        ("https://anything.test:8443/mcp", ""),
        ("https://203.0.113.9:8443/mcp", ""),
        ("https://203.0.113.9/mcp", "203.0.113.9:443"),
        ("https://[2001:db8::1]:8443/mcp", "[2001:db8::1]:8443"),
    ],
)
def test_a_host_is_shut_out_that_no_rule_can_allow(url: str, host: str) -> None:
    assert shut_out(held(url)) == host


def test_only_what_is_permitted_by_name_is_permitted_wherever_it_leads() -> None:
    assert is_permitted(held("https://api.a.test/mcp"))
    assert not is_permitted(held("https://anything.test:8443/mcp"))
    assert is_permitted(an_entry("https://anything.test/mcp"))


@pytest.mark.parametrize(
    ("url", "rules", "host"),
    [
        ("https://{tenant}.b.test/mcp", RULES, ""),
        ("https://{tenant}.a.test/mcp", RULES, "{tenant}.a.test:443"),
        ("https://x.{tenant}.b.test/mcp", RULES, "x.{tenant}.b.test:443"),
        ("https://api.a.test/{tenant}", RULES, ""),
        (
            "https://{region}.c.test/mcp",
            EgressRules("restricted", (Allowed(domains=("eu.c.test",)),)),
            "us.c.test:443",
        ),
        (
            "https://{region}.c.test/mcp",
            EgressRules("restricted", (Allowed(domains=("eu.c.test", "us.c.test")),)),
            "",
        ),
    ],
)
def test_a_placeholder_stands_for_any_label_or_for_each_that_is_offered(
    url: str, rules: EgressRules, host: str
) -> None:
    fields = tuple(one for one in (REGIONS, TENANT) if f"{{{one.name}}}" in url)
    assert shut_out(held(url, rules, fields=fields)) == host


def test_a_server_that_archway_runs_and_one_without_a_policy_are_shut_out_of_nothing() -> None:
    assert shut_out(held("https://no.test/mcp", reached=SelfHosted(transport="http", image="x"))) == ""
    assert shut_out(an_entry("https://no.test/mcp")) == ""


def test_an_entry_is_refused_with_environment_and_rule() -> None:
    with pytest.raises(BrokenRule) as broken:
        check_held(held("https://no.test/mcp"), None)
    assert str(broken.value) == (
        "url: leads to no.test:443, which the egress policy of the environment Production does not allow: it allows "
        "203.0.113.0/24 on 8443, api.a.test on 443, *.b.test on 443"
    )


def test_a_move_is_refused_at_the_environment_and_other_changes_are_not() -> None:
    shut = held("https://no.test/mcp")
    check_held(held("https://no.test/mcp", name="Another"), shut)
    with pytest.raises(BrokenRule, match=r"^environment_id: leads to no.test:443"):
        check_held(shut, an_entry("https://no.test/mcp"))
    with pytest.raises(BrokenRule, match=r"^url: leads to no2.test:443"):
        check_held(held("https://no2.test/mcp"), shut)
    check_held(an_entry("https://no.test/mcp"), shut)


def test_of_an_entry_that_is_shut_out_whoever_looks_after_it_is_told() -> None:
    (told,) = held_warnings(held("https://no.test/mcp", EgressRules("off")))
    assert told == (
        "Its calls are refused: it leads to no.test:443, which the egress policy of the environment Production does "
        "not allow: it allows nothing."
    )
    assert held_warnings(held("https://api.a.test/mcp")) == held_warnings(an_entry()) == []


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (EgressRules("off"), "nothing"),
        (EgressRules("restricted"), "nothing"),
        (EgressRules("all"), "everything"),
        (
            EgressRules("restricted", (Allowed(domains=("a.test",), ports=("443", "8000-8010")),)),
            "a.test on 443 8000-8010",
        ),
        (
            EgressRules("restricted", (Allowed(domains=tuple(f"{one}.t" for one in range(12)), ports=("1",)),)),
            ", ".join(f"{one}.t on 1" for one in range(10)) + " and 2 more",
        ),
    ],
)
def test_rules_are_told_in_words_and_ten_places_of_them_at_most(rules: EgressRules, words: str) -> None:
    assert in_words(rules) == words


def test_what_helps_names_each_host_with_its_port_that_may_be_refused() -> None:
    assert to_let_in(held("http://api.a.test:9527/mcp")).startswith("Allow api.a.test:9527 there, or move the entry ")
    assert to_let_in(held("https://anything.test:8443/mcp")).startswith("Allow anything.test:8443 there")
    assert why_shut_out(held("https://anything.test:8443/mcp")) == why_shut_out(held("https://api.a.test/mcp")) == ""


def test_who_holds_a_server_elsewhere_is_told_and_of_one_that_runs_here_nothing() -> None:
    told = "Proxies hold its calls to the egress policy of the environment Production, which allows eu.c.test on 443."
    assert held_to(held("https://eu.c.test/mcp", EU)) == told
    assert held_to(an_entry("https://eu.c.test/mcp")) == ""
    assert held_to(an_entry(reached=SelfHosted(), held=Held(EU, "Production"))) == ""
