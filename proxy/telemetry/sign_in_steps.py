"""Steps of signing in that happened at this worker, added up until control is told.

Filled where a caller is refused and where a gateway's metadata is read; emptied by `proxy/resolve/telling_steps.py`.
Whoever floods us with requests must not be able to have much told: equal steps of one network are one, and there are
so many of a network, and in all. What is beyond is not told; the counters of refusals miss nothing.
"""

from collections import Counter
from typing import Final

from msgspec.structs import replace

from core.sign_in_steps import LONGEST, MOST_TOLD, ToldStep
from proxy.limits.budget import household

OF_ONE: Final = 10
"""Different steps of one network between two messages."""


class SignInSteps:
    """The steps at one worker that control was not told yet; never waits."""

    def __init__(self) -> None:
        self._steps: dict[ToldStep, int] = {}
        self._addresses: dict[ToldStep, str] = {}
        self._of: Counter[str] = Counter()

    def note(self, step: ToldStep) -> None:
        """One step was taken."""
        owner = household(step.address)
        same = replace(step, address=owner)
        if same in self._steps:
            self._steps[same] += 1
        elif len(self._steps) < MOST_TOLD and self._of[owner] < OF_ONE:
            self._steps[same], self._addresses[same] = 1, step.address
            self._of[owner] += 1

    def take(self) -> list[ToldStep]:
        """What is to be told; from now on they are not here any more."""
        steps = [replace(step, address=self._addresses[step], times=times) for step, times in self._steps.items()]
        self._steps, self._addresses, self._of = {}, {}, Counter()
        return steps


def short(text: str) -> str:
    """A text of whoever asked, as long as it may be told."""
    return text[:LONGEST]
