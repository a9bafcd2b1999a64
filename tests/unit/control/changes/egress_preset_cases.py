"""The changes of egress presets, for `test_every_change.py`: what each does and leaves behind."""

from __future__ import annotations

from typing import Any

from control.changes import egress_presets as changes
from control.changes.write import Write
from control.registry.egress import EgressPreset, NewEgressPreset


async def made(write: Write) -> EgressPreset:
    return await changes.create(write, NewEgressPreset(name="GitHub", domains=("api.github.com",)))


async def change(write: Write, _: Any) -> None:
    await changes.change(write, (await made(write)).id, {"ports": ("443", "8443")})


async def delete(write: Write, _: Any) -> None:
    await changes.delete(write, (await made(write)).id)


EGRESS_PRESETS: dict[str, tuple[Any, ...]] = {
    "egress_presets.create": (lambda write, _: made(write), "create egress_preset"),
    "egress_presets.change": (change, "create egress_preset, update egress_preset"),
    "egress_presets.delete": (delete, "create egress_preset, delete egress_preset"),
}
