"""The model of renewals by several processes (row F-11) for longer, and what `make test` has no time for.

That is a strict provider whose answers are lost: processes are killed between its answer and the row, and its answers
do not arrive. Nobody can keep such a sign-in. But it ends only there, the row says so, and nobody goes on asking.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from control.accounts.one_renewal import Came
from tests.trust.test_renewal_model import PROCESSES, AtAStrictProvider, Renewals

LONG = settings(stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), database=None)


class WhereAnswersAreLostForGood(Renewals):
    """A provider that ends everything at the first reuse, and answers that only dead processes had."""

    grace_s = -1.0

    def __init__(self) -> None:
        super().__init__()
        self.lost = False
        """Whether the provider may have given tokens that nobody has."""

    @rule(which=PROCESSES)
    def a_process_is_killed(self, which: int) -> None:
        run = self.processes[which].run
        if run is None or run.done():
            return
        if self.provider.asked_at_once or self.provider.newest != int(self.row.account.tokens):
            self.lost = True
        run.cancel()
        self.loop.run_until_idle()

    @rule()
    def an_answer_will_be_lost(self) -> None:
        self.lost = True
        self.provider.faults.append("lost")

    @invariant()
    def nobody_is_signed_out(self) -> None:
        """But where an answer was lost; and never by anything but the provider's word."""
        assert self.lost or not self.provider.is_over
        assert self.provider.is_over or self.row.account.refused_at is None

    def comes_to(self, came: Came) -> None:
        self.nobody_is_signed_out()
        if not self.provider.is_over:
            super().comes_to(came)
            return
        assert came.refusal is not None
        assert came.refusal.code == "needs_sign_in"
        assert self.row.account.refused_at is not None
        asked = self.provider.requests
        assert self.last_renewal().refusal is not None
        assert self.provider.requests == asked, "it goes on asking"


@pytest.mark.parametrize(
    ("machine", "runs"), [(Renewals, 300), (AtAStrictProvider, 100), (WhereAnswersAreLostForGood, 300)]
)
def test_whatever_order_things_happen_in_only_lost_answers_sign_anybody_out(
    machine: type[Renewals], runs: int
) -> None:
    run_state_machine_as_test(machine, settings=settings(LONG, max_examples=runs))
