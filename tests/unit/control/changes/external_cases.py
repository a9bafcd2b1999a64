"""The changes of who calls without an account, for `test_every_change.py`: what each does and leaves behind."""

from __future__ import annotations

from typing import Any
from unittest.mock import ANY

from control.changes import external_principals as changes
from control.changes.write import Write
from control.registry.external_principal import ExternalPrincipal
from tests.fakes.providers import a_person


async def seen(write: Write, there: Any) -> ExternalPrincipal:
    found = await changes.seen(write, there.provider, a_person(subject="zoe"))
    assert found is not None
    return found


async def shut_out(write: Write, there: Any) -> None:
    await changes.set_disabled(write, (await seen(write, there)).id, disabled=True)


EXTERNALS: dict[str, tuple[Any, ...]] = {
    "external_principals.seen": (seen, ""),
    "external_principals.set_disabled": (shut_out, "disable external_principal", lambda _: [("external", ANY)]),
}
