"""How servers that run as processes would be kept apart on this machine: tried, as control would."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from archway.doctor.finding import Finding, note
from control.processes.isolation import Isolation, NoIsolation, find_isolation
from control.processes.layout import open_layout
from control.settings import USERS, users_from
from core.settings import BadSetting

_READ = "docs/operating/isolation.md says what servers reach then"
_KEPT = {
    "user": "each is another user, and sees little of the machine",
    "namespace": "each is in a namespace of its own, and sees little of the machine",
}


def check_isolation(settings: Mapping[str, str]) -> list[Finding]:
    """One line. Blocks for a second or two."""
    try:
        users = users_from(settings.get("ARCHWAY_SERVERS_USERS", "").strip() or USERS)
        with TemporaryDirectory(prefix="archway-") as folder:
            found = find_isolation(open_layout(Path(folder)), users, ())
    except BadSetting:
        return []  # told with the settings
    except (NoIsolation, OSError) as why:
        cure = (
            "give ARCHWAY_SERVERS_FOLDER a folder that all users may enter, or start Archway as one that is not root"
        )
        return [note("servers cannot run as processes here", str(why), cure)]
    return [_told(found)]


def _told(found: Isolation) -> Finding:
    kept = f"servers that run as processes have `isolation: {found.word}` here"
    if found.word == "none":
        return note(f"{kept}: they may do what you may", "the kernel grants no user namespaces", _READ)
    if not found.own_root:
        return note(f"{kept}, and see the whole machine", "the kernel grants no mount namespaces", _READ)
    return Finding(f"{kept}: {_KEPT[found.word]}", level="ok")
