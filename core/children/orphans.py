"""What a process of ours that was killed left running, and its end.

Called before each start of a program, and by `archway up` and `archway down`, which clear up after a killed start. It
believes a guard's record only where pid and beginning agree, so that a stranger who got the pid is left in peace.
"""

import contextlib
import json
import signal
from pathlib import Path
from typing import Any

from core.children.identity import Identity, end, from_row

_ROLES = ("program", "guard")


def recorded(record: Path) -> dict[str, Identity]:
    """The identities in one guard's record, by role: `program` and `guard`; empty where there is none to read."""
    content = _content(record)
    known = {role: from_row(content.get(role)) for role in _ROLES}
    return {role: who for role, who in known.items() if who is not None}


def end_program(record: Path, grace: float = 5.0) -> None:
    """End the program of one record, then its guard, which by then has ended by itself. Blocks, twice `grace` at most
    and two seconds; the record is gone then.
    """
    who = recorded(record)
    if "program" in who:
        end([who["program"]], _stop(record), grace)
    if "guard" in who:
        end([who["guard"]], signal.SIGTERM, grace)
    with contextlib.suppress(
        OSError
    ):  # a folder that cannot be written: the next guard's record replaces it, or none
        record.unlink()


def _stop(record: Path) -> int:
    """The signal that this program stops on: some take SIGTERM for a wish to finish slowly."""
    stop = _content(record).get("stop")
    return stop if isinstance(stop, int) and stop in set(signal.Signals) else signal.SIGTERM


def _content(record: Path) -> dict[str, Any]:
    try:
        content = json.loads(record.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
