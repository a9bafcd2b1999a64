"""Renewals of one account by several processes, against a model (row F-11).

Three processes share a row and a provider that rotates refresh tokens and detects their reuse. A machine of
hypothesis's starts renewals, lets time pass, kills processes between any two steps, loses answers and has the
provider down, in any order; what the database does in one transaction is one step. Whatever happens,

- one request at a time carries the account's refresh token;
- nobody is signed out by a provider that takes a token once more after a lost answer, and by a strict one only where
  an answer was lost (that half is in `tests/faults/test_renewal_model_for_longer.py`, with longer runs of all);
- in the end a renewal gives the provider's newest tokens, and they are the ones in the row.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from control.accounts.one_renewal import Came, OneRenewal
from core.tasks import Tasks
from tests.fakes.modelled_accounts import (
    ModelledLeases,
    ModelledProvider,
    ModelledRow,
    ModelledTokens,
    Steps,
)
from tests.fakes.registry import an_account
from tests.fakes.virtual_loop import VirtualLoop, VirtualTime

PROCESSES = st.sampled_from([0, 1, 2])
WAITS = st.lists(st.sampled_from([0.0, 0.01, 0.3, 2.0, 4.0]), max_size=8)
FOR_EVER = 1e12


@dataclass
class Process:
    """One process of control."""

    renewal: OneRenewal
    steps: Steps
    run: asyncio.Task[Came] | None = None


class Renewals(RuleBasedStateMachine):
    """The machine; `grace_s` of its provider, and whether processes are killed and answers lost."""

    grace_s: ClassVar[float] = FOR_EVER
    loses: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        time = VirtualTime()
        self.everywhere = time.everywhere()
        self.everywhere.__enter__()
        self.loop = VirtualLoop(time)
        self.tasks = self.wait_for(self.new_tasks())
        self.row = ModelledRow(an_account(tokens=b"1"))
        self.provider = ModelledProvider(self.grace_s)
        self.said_no = False
        self.processes = [self.new_process(str(number)) for number in range(3)]

    @staticmethod
    async def new_tasks() -> Tasks:
        return Tasks("model")

    def new_process(self, name: str) -> Process:
        steps = Steps()
        tokens: Any = ModelledTokens(self.provider, steps, self.tasks)
        leases: Any = ModelledLeases(self.row, name, steps)
        return Process(OneRenewal(leases, tokens, lambda: 0.5), steps)

    def wait_for(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    async def begun(self, process: Process) -> None:
        work = process.renewal.of("i1", self.row.account.version)
        process.run = self.tasks.spawn("renew", work)

    @rule(which=PROCESSES, waits=WAITS)
    def a_process_renews(self, which: int, waits: list[float]) -> None:
        process = self.processes[which]
        if process.run is None or process.run.done():
            process.steps.waits = waits
            self.wait_for(self.begun(process))

    @rule(seconds=st.sampled_from([0.0, 0.05, 1.0, 6.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        self.wait_for(asyncio.sleep(seconds))

    @precondition(lambda self: self.loses)
    @rule(which=PROCESSES)
    def a_process_is_killed(self, which: int) -> None:
        run = self.processes[which].run
        if run is not None:
            run.cancel()
            self.loop.run_until_idle()

    @precondition(lambda self: self.loses)
    @rule()
    def an_answer_will_be_lost(self) -> None:
        self.provider.faults.append("lost")

    @rule()
    def the_provider_will_be_down(self) -> None:
        self.provider.faults.append("down")

    @precondition(lambda self: not self.said_no)
    @rule()
    def the_provider_will_say_no_once(self) -> None:
        self.said_no = True
        self.provider.faults.append("no")

    @invariant()
    def one_at_a_time(self) -> None:
        assert self.provider.most_at_once <= 1

    @invariant()
    def nobody_is_signed_out(self) -> None:
        assert not self.provider.is_over
        assert self.row.account.refused_at is None

    def last_renewal(self) -> Came:
        """What one more renewal comes to when all that went on is over."""
        self.a_process_renews(0, [])
        run = self.processes[0].run
        assert run is not None
        found: Came = self.wait_for(run)
        return found

    def comes_to(self, came: Came) -> None:
        """The provider's newest tokens, which are the ones in the row."""
        assert came.account is not None
        assert int(came.account.tokens) == int(self.row.account.tokens) == self.provider.newest

    def teardown(self) -> None:
        try:
            self.provider.faults.clear()
            for process in self.processes:
                process.steps.waits.clear()
            self.wait_for(asyncio.sleep(600))
            self.nobody_is_signed_out()
            self.comes_to(self.last_renewal())
        finally:
            self.wait_for(self.tasks.close())
            self.loop.close()
            self.everywhere.__exit__(None, None, None)


class AtAStrictProvider(Renewals):
    """The same where reuse ends everything at once, so that nothing is killed or lost on the way."""

    grace_s = -1.0
    loses = False


FEW = settings(
    max_examples=60, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


@pytest.mark.parametrize("machine", [Renewals, AtAStrictProvider], ids=["F-11: random interleavings", "strict"])
def test_whatever_order_things_happen_in_nobody_is_lost(machine: type[Renewals]) -> None:
    run_state_machine_as_test(machine, settings=FEW)
