"""The changes that tell of servers, for `test_every_change.py`: what was seen of them, and how those we run do."""

from __future__ import annotations

from typing import Any

import msgspec

from control.changes import discoveries, server_states
from control.changes.write import Write
from control.registry.self_hosted import SelfHosted
from tests.fakes.registry import a_server_state


async def _restart(write: Write, there: Any) -> None:
    run = {name: one for name, one in msgspec.to_builtins(SelfHosted(command=("x",))).items() if name != "kind"}
    await write.execute(
        "update entries set kind = 'self_hosted', url = '', run = $2 where id = $1", there.entry.id, run
    )
    await server_states.restart(write, there.installation.id)


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
    "server_states.keep": (
        lambda write, there: server_states.keep(write, a_server_state(installation_id=there.installation.id)),
        "",
        lambda there: [("installation", there.installation.id)],
    ),
    "server_states.restart": (_restart, "update installation"),
    "server_states.asked": (lambda write, there: server_states.asked(write, there.installation.id, 1), ""),
}
