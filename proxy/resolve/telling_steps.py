"""Tells control of the steps of signing in that happened here, once a second while there are any.

Run by `proxy/worker.py` as a task of its own. It is a question like others, so that it needs no Redis, and is sealed
by nothing new; but nobody waits for its answer, and what control does not take is lost: it is no record.
"""

import asyncio
import logging
from typing import Final, Protocol

from core.sign_in_steps import StepsTaken, ToldStep, ToldSteps
from core.tasks import forever
from proxy.caches.two_ages import SourceUnreachable
from proxy.resolve.control_client import ListsUnknown
from proxy.telemetry.sign_in_steps import SignInSteps

log = logging.getLogger(__name__)
EVERY_S: Final = 1.0


class IsTold(Protocol):
    """A part that tells control of steps of signing in (`proxy/resolve/control_client.py`)."""

    async def sign_in_steps(self, told: ToldSteps) -> StepsTaken:
        """Tell it. Raises SourceUnreachable, and ListsUnknown of a control that knows of no such thing."""


async def keep_telling(steps: SignInSteps, control: IsTold) -> None:
    """Run until cancelled."""

    async def once_more() -> None:
        await asyncio.sleep(EVERY_S)
        await tell(steps.take(), control)

    await forever("sign-in-steps", once_more, EVERY_S)


async def tell(steps: list[ToldStep], control: IsTold) -> None:
    """Tell control of these; lost where it cannot be told."""
    if not steps:
        return
    try:
        _ = await control.sign_in_steps(ToldSteps(steps))
    except (SourceUnreachable, ListsUnknown):
        log.debug("control was not told of steps of signing in", extra={"steps": len(steps)})
