"""The changes that tell of servers, for `test_every_change.py`: what was seen of them, and how those we run do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from control.changes import discoveries, idle_servers, server_states
from control.changes.write import Write
from control.registry.self_hosted import SelfHosted
from tests.fakes.registry import a_server_state


async def _restart(write: Write, there: Any) -> None:
    run = {name: one for name, one in msgspec.to_builtins(SelfHosted(command=("x",))).items() if name != "kind"}
    await write.execute(
        "update entries set kind = 'self_hosted', url = '', run = $2 where id = $1", there.entry.id, run
    )
    await server_states.restart(write, there.installation.id)


_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


async def _counted(write: Write, there: Any, state: str = "") -> None:
    """That it was not called since the year 2000, and perhaps dozes."""
    await write.execute(
        f"insert into idle_servers (installation_id, used_at{', dozes_since' if state else ''}) "
        f"values ($1, $2{', $2' if state else ''})",
        there.installation.id, _LONG_AGO,
    )  # fmt: skip


async def _doze(write: Write, there: Any) -> None:
    await _counted(write, there)
    assert await idle_servers.doze(write, there.installation.id, 5, _LONG_AGO)


async def _fall_asleep(write: Write, there: Any) -> None:
    await _counted(write, there, "dozes")
    assert await idle_servers.fall_asleep(write, there.installation.id)


async def _use_and_ask(write: Write, there: Any) -> None:
    await _counted(write, there, "dozes")
    await idle_servers.use_and_ask(write, there.installation.id)


SERVERS: dict[str, tuple[Any, ...]] = {
    "discoveries.keep_failure": (
        lambda write, there: discoveries.keep_failure(write, there.entry, there.installation, "needs_sign_in", "x"),
        "",
        lambda there: [("installation", there.installation.id)],
    ),
    "discoveries.lists_changed": (
        lambda write, there: discoveries.lists_changed(write, there.entry.id, ["prompts"]),
        "",
    ),
    "idle_servers.count": (lambda write, there: idle_servers.count(write), ""),
    "idle_servers.doze": (_doze, "", lambda there: [("installation", there.installation.id)]),
    "idle_servers.fall_asleep": (_fall_asleep, ""),
    "idle_servers.use": (lambda write, there: idle_servers.use(write, there.installation.id), ""),
    "idle_servers.use_and_ask": (_use_and_ask, ""),
    "server_states.keep": (
        lambda write, there: server_states.keep(write, a_server_state(installation_id=there.installation.id)),
        "",
        lambda there: [("installation", there.installation.id)],
    ),
    "server_states.restart": (_restart, "update installation"),
    "server_states.asked": (lambda write, there: server_states.asked(write, there.installation.id, 1), ""),
}
