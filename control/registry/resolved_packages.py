"""What a bridge says of the packages that run behind it (`bridge/packages.py`), and which are others than before.

Called by both runtimes, which keep it with a server's state, and where that state is kept. What a program may have
written into its own folder is in it: it is shown to people, and nothing is decided by it. Pure.
"""

from typing import Any, Final

from control.registry.server_state import ServerState

MOST: Final = 8
_LONGEST: Final = 200
Packages = list[list[str]]
"""Names and versions."""


def packages_in(told: Any) -> Packages | None:
    """The packages that are told; None where it is nothing that a bridge would say."""
    if not isinstance(told, list) or len(told) > MOST:
        return None
    found = [[str(word)[:_LONGEST] for word in one] for one in told if isinstance(one, list) and len(one) == 2]
    return found if all(word.isprintable() for one in found for word in one) else None


def packages_of(state: ServerState | None) -> Packages:
    """Those that a state tells; [] where it tells none."""
    found: Packages = ((state.resolved if state else None) or {}).get("packages") or []
    return found


def other_versions(before: ServerState | None, after: ServerState) -> tuple[Packages, Packages]:
    """The packages of both states whose version is another one now: as they were, and as they are."""
    was, now = ({one[0]: one[1] for one in packages_of(state)} for state in (before, after))
    moved = sorted(name for name in was.keys() & now.keys() if was[name] != now[name])
    return [[name, was[name]] for name in moved], [[name, now[name]] for name in moved]
