"""What a trial showed: the state of one kind of rules, of what two pods saw. Pure.

The first pod is held to the rules; the second, which nothing holds, is the sample: what does not answer it proves
nothing when it does not answer the first.
"""

from collections.abc import Mapping, Sequence

from control.orchestrator.probing.trials import Trial
from control.registry.enforcement import EnforcementState
from core.reach_terms import Outcome

Seen = Mapping[str, Outcome]
"""What became of each target."""


def verdict(trial: Trial, held: Seen, sample: Seen) -> tuple[EnforcementState, str]:
    """The state, and the reason in a sentence or two."""
    leaks = [target for target in trial.shuts if held.get(target) == "reached"]
    if leaks:
        return "not_enforced", f"A pod under these rules reached {_listed(leaks)}, which they do not allow."
    answering = [target for target in trial.shuts if sample.get(target) == "reached"]
    if not answering:
        return "unknown", f"Nothing shows that anything is blocked: {_silent(trial.shuts)}"
    blocked = [target for target in answering if held.get(target) == "blocked"]
    if not blocked:
        return "unknown", f"A pod under these rules could not try {_listed(answering)}."
    if trial.lacks:
        return "unknown", (
            f"{_listed(blocked)} did not answer, as it should be. Nothing shows that what is allowed answers: give "
            f"{trial.lacks} that does in ARCHWAY_PROBE_TARGETS."
        )
    allowed = [target for target in trial.opens if sample.get(target) == "reached"]
    if not allowed:
        return "unknown", f"Nothing shows that what is allowed answers: {_silent(trial.opens)}"
    away = [target for target in allowed if held.get(target) != "reached"]
    if away:
        return "unknown", (
            f"{_listed(away)} did not answer a pod under these rules, which allow it: what blocks that may be what "
            "blocks the rest. Another policy does, or the provider does not match pods by their addresses: then give "
            "an address outside of the cluster in ARCHWAY_PROBE_TARGETS."
        )
    return "enforced", f"{_listed(allowed)} answered, and {_listed(blocked)} did not."


def _silent(targets: Sequence[str]) -> str:
    return f"{_listed(targets)} did not answer a pod without rules either."


def _listed(targets: Sequence[str]) -> str:
    return ", ".join(targets)
