"""`archway down`: asks the running `archway up` to end, and ends what a killed one left behind."""

import signal
from pathlib import Path

from archway.up.orphans import end_all
from archway.up.state import AlreadyRunning, existing_state
from core.children.identity import end

PATIENCE_S = 60.0
"""Longer than every program's grace together."""


def shut_down(folder: Path) -> str:
    """What happened, for a person. Blocks until nothing runs."""
    state = existing_state(folder)
    if not (state.root / "lock").exists():
        return f"nothing to stop: {state.root} is not a state folder"
    holder = state.holder()
    if holder is not None:
        end([holder], signal.SIGTERM, PATIENCE_S)
    try:
        with state.hold():
            left = end_all(state.runs, state.ports)
            state.up.unlink(missing_ok=True)
    except AlreadyRunning as another:
        return f"stopped, but meanwhile another start took the folder: {another}"
    if holder is None and not left:
        return "nothing was running"
    return "stopped" if not left else f"stopped; ended what was left over: {', '.join(left)}"
