"""The changes of environments, for `test_every_change.py`: what each does and leaves behind."""

from __future__ import annotations

from typing import Any

from control.changes import environments as changes
from control.changes.write import Write
from control.registry.environment import Environment, NewEnvironment
from control.registry.partial import environment_with
from tests.unit.control.changes.acting import SAFEGUARDS


async def made(write: Write) -> Environment:
    return await changes.create(write, SAFEGUARDS, NewEnvironment(name="Production"))


async def change(write: Write, _: Any) -> None:
    await changes.change(
        write, SAFEGUARDS, (await made(write)).id, lambda before: environment_with(before, {"restricted": True})
    )


async def delete(write: Write, _: Any) -> None:
    await changes.delete(write, (await made(write)).id)


ENVIRONMENTS: dict[str, tuple[Any, ...]] = {
    "environments.create": (lambda write, _: made(write), "create environment"),
    "environments.change": (change, "create environment, update environment"),
    "environments.delete": (delete, "create environment, delete environment"),
}
