"""The changes that tell of servers, for `test_every_change.py`: what was seen of them, and how those we run do."""

from __future__ import annotations

from typing import Any

from control.changes import discoveries, server_states
from tests.fakes.registry import a_server_state

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
    "server_states.asked": (lambda write, there: server_states.asked(write, there.installation.id, 1), ""),
}
