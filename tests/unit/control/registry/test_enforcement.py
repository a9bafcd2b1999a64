"""What people are told of egress policies: the kinds of rules, and what a probe of long ago is worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from control.registry.egress import Egress
from control.registry.enforcement import NOT_YET, OLD_AFTER, PROCESSES, Enforcement, RuleKind, kinds_of, shown
from control.registry.environment import Environment
from core.egress.rules import Allowed, EgressRules

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
OFF = EgressRules("off")
HERE = Environment(id="e", name="Staging", egress=Egress("off"), created_at=NOW, updated_at=NOW, version=1)
SEEN = Enforcement(kind="off", state="enforced", reason="It is so.", provider="kubernetes", probed_at=NOW)


@pytest.mark.parametrize(
    ("rules", "kinds"),
    [
        (EgressRules("off"), ("off",)),
        (EgressRules("all"), ("all",)),
        (EgressRules("restricted"), ("off",)),
        (EgressRules("restricted", (Allowed(cidrs=("192.0.2.0/24",)),)), ("cidr",)),
        (EgressRules("restricted", (Allowed(domains=("a.example",)), Allowed(cidrs=("192.0.2.0/24",)))),
         ("cidr", "domain")),
    ],
)  # fmt: skip
def test_rules_are_of_one_kind_or_two(rules: EgressRules, kinds: tuple[RuleKind, ...]) -> None:
    assert kinds_of(rules) == kinds


def test_what_was_probed_is_told_as_it_was() -> None:
    assert shown(HERE, OFF, [SEEN], "cluster", NOW + OLD_AFTER) == [SEEN]


def test_what_was_not_probed_yet_is_unknown() -> None:
    (told,) = shown(HERE, EgressRules("all"), [SEEN], "cluster", NOW)
    assert (told.kind, told.state, told.reason) == ("all", "unknown", NOT_YET)


def test_a_probe_of_long_ago_says_nothing_of_now() -> None:
    (told,) = shown(HERE, OFF, [SEEN], "cluster", NOW + OLD_AFTER + timedelta(hours=1))
    assert (told.state, told.reason) == ("unknown", "The last probe is 4 hours old, and said enforced.")


def test_processes_are_held_by_nothing() -> None:
    (told,) = shown(HERE, OFF, [SEEN], "process", NOW)
    assert (told.state, told.reason) == ("not_enforced", PROCESSES)


def test_nothing_is_told_of_an_environment_without_a_policy_or_where_nothing_runs() -> None:
    assert shown(replace(HERE, egress=None), EgressRules(), [], "cluster", NOW) == []
    assert shown(HERE, OFF, [SEEN], None, NOW) == []
