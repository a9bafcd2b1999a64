"""The changes of image pull secrets, for `test_every_change.py`: what each does and leaves behind."""

from __future__ import annotations

from typing import Any

from control.changes import pull_secrets as changes
from control.changes.write import Write
from control.registry.pull_secret import KeptPullSecret, WantedPullSecret
from tests.unit.control.changes.acting import SAFEGUARDS


async def made(write: Write) -> KeptPullSecret:
    wanted = WantedPullSecret(name="Ours", registry="registry.test", username="robot", password="p")
    return await changes.create(write, SAFEGUARDS, wanted)


async def change(write: Write, _: Any) -> None:
    await changes.change(write, SAFEGUARDS, (await made(write)).id, {"password": "another"})


async def delete(write: Write, _: Any) -> None:
    await changes.delete(write, (await made(write)).id)


PULL_SECRETS: dict[str, tuple[Any, ...]] = {
    "pull_secrets.create": (lambda write, _: made(write), "create pull_secret"),
    "pull_secrets.change": (change, "create pull_secret, update pull_secret"),
    "pull_secrets.delete": (delete, "create pull_secret, delete pull_secret"),
}
