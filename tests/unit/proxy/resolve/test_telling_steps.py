"""Control is told of steps of signing in; what it does not take is lost, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.internal_call import InternalCalls
from core.sign_in_steps import StepsTaken, ToldStep, ToldSteps
from core.tasks import Tasks
from proxy.caches.two_ages import SourceUnreachable
from proxy.resolve import telling_steps
from proxy.resolve.control_client import ControlClient, ListsUnknown
from proxy.resolve.telling_steps import keep_telling, tell
from proxy.telemetry.sign_in_steps import SignInSteps
from tests.fakes.control import FakeControl

STEP = ToldStep("challenge", "192.0.2.1", "g")


class Told:
    """Whoever is told: fails as it is made to, and remembers."""

    def __init__(self, *faults: Exception) -> None:
        self._faults = list(faults)
        self.steps: list[ToldStep] = []
        self.heard, self.failed = asyncio.Event(), asyncio.Event()

    async def sign_in_steps(self, told: ToldSteps) -> StepsTaken:
        if self._faults:
            self.failed.set()
            raise self._faults.pop(0)
        self.steps += told.steps
        self.heard.set()
        return StepsTaken(len(told.steps))


async def test_control_reads_what_it_is_told() -> None:
    loopback = AddressPolicy(parse_networks("127.0.0.0/8"))
    async with FakeControl() as control, Egress(loopback) as egress:
        calls = InternalCalls(control.ring, caller="proxy", answerer="control")
        await tell([STEP], ControlClient(egress, (control.url,), calls))
        assert control.steps == [STEP]


@pytest.mark.parametrize("fault", [SourceUnreachable(), ListsUnknown()])
async def test_what_control_does_not_take_is_lost_and_the_next_is_told(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    monkeypatch.setattr(telling_steps, "EVERY_S", 0.0)
    steps, control, tasks = SignInSteps(), Told(fault), Tasks("test")
    steps.note(STEP)
    tasks.spawn("telling", keep_telling(steps, control))
    async with asyncio.timeout(30):
        await control.failed.wait()
        later = ToldStep("metadata", "192.0.2.1", "g")
        steps.note(later)
        await control.heard.wait()
    await tasks.close()
    assert control.steps == [later]


async def test_nobody_is_told_of_nothing() -> None:
    control = Told(AssertionError("told of nothing"))
    await tell([], control)
    assert control.steps == []
