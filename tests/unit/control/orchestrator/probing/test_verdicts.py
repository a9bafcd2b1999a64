"""What may be concluded of what two pods saw: never `enforced` without both proofs."""

from __future__ import annotations

import pytest

from control.orchestrator.probing.trials import Trial
from control.orchestrator.probing.verdicts import Seen, verdict
from core.egress.rules import EgressRules

TRIAL = Trial("cidr", EgressRules("restricted"), ("open:1",), ("shut:1", "shut:2"))
ALL: Seen = {"open:1": "reached", "shut:1": "reached", "shut:2": "reached"}
AS_WANTED: Seen = {"open:1": "reached", "shut:1": "blocked", "shut:2": "blocked"}


def test_both_proofs_are_needed_and_enough() -> None:
    assert verdict(TRIAL, AS_WANTED, ALL) == ("enforced", "open:1 answered, and shut:1, shut:2 did not.")


def test_one_denied_target_that_answers_is_a_leak() -> None:
    state, reason = verdict(TRIAL, {**AS_WANTED, "shut:2": "reached"}, ALL)
    assert (state, reason) == (
        "not_enforced",
        "A pod under these rules reached shut:2, which they do not allow.",
    )


def test_a_leak_is_one_whatever_the_sample_saw() -> None:
    assert verdict(TRIAL, {**AS_WANTED, "shut:2": "reached"}, {})[0] == "not_enforced"


@pytest.mark.parametrize(
    ("held", "sample", "reason"),
    [
        (AS_WANTED, {"open:1": "reached", "shut:1": "blocked", "shut:2": "unresolved"}, "anything is blocked"),
        (AS_WANTED, {**ALL, "open:1": "blocked"}, "what is allowed answers: open:1 did not answer a pod without"),
        ({**AS_WANTED, "open:1": "blocked"}, ALL, "what blocks that may be what blocks the rest"),
        ({**AS_WANTED, "open:1": "unresolved"}, ALL, "what blocks that may be what blocks the rest"),
        ({"open:1": "reached", "shut:1": "unresolved", "shut:2": "unresolved"}, ALL, "could not try shut:1, shut:2"),
        ({}, ALL, "could not try"),
        (AS_WANTED, {}, "anything is blocked"),
    ],
    ids=[
        "denied is away",
        "allowed is away",
        "all is blocked",
        "no name",
        "denied not tried",
        "no word",
        "no sample",
    ],
)
def test_a_proof_that_lacks_is_named(held: Seen, sample: Seen, reason: str) -> None:
    state, said = verdict(TRIAL, held, sample)
    assert state == "unknown"
    assert reason in said


def test_a_denied_target_that_is_away_does_not_matter_where_another_proves_it() -> None:
    assert verdict(TRIAL, AS_WANTED, {**ALL, "shut:1": "blocked"}) == (
        "enforced",
        "open:1 answered, and shut:2 did not.",
    )


def test_where_nothing_allowed_could_be_tried_the_operator_is_told_what_to_give() -> None:
    trial = Trial("domain", EgressRules("restricted"), (), ("shut:1", "shut:2"), "a name")
    state, reason = verdict(trial, AS_WANTED, ALL)
    assert state == "unknown"
    assert "give a name that does in ARCHWAY_PROBE_TARGETS" in reason
