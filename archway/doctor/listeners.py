"""Who listens on a port, as far as the system tells us (Linux's /proc; elsewhere only that somebody does)."""

import contextlib
from pathlib import Path

from archway.doctor.finding import Finding, note
from archway.status.facts import Facts
from archway.up.ports import is_free

_LISTEN = "0A"


def check_ports(remembered: dict[str, int], facts: Facts) -> list[Finding]:
    """Ports of last time that somebody else has now."""
    ours = {process.pid for process in facts.processes if process.alive}
    findings = []
    for name, port in sorted(remembered.items()):
        if is_free(port):
            continue
        pid = listener(port)
        if pid in ours:
            continue
        who = f"pid {pid} ({program(pid)})" if pid else "another user's process"
        if facts.running:
            why, cure = (
                "it is this deployment's, and its program cannot have it",
                "end that program, then `archway down` and `archway up`",
            )
            findings.append(Finding(f"port {port} ({name}) is held by {who}", why, cure))
        else:
            findings.append(
                note(
                    f"port {port} ({name}) is held by {who}",
                    "the next start takes another, and URLs change",
                    f"free it, or choose with --{name}-port" if name in {"proxy", "control"} else "",
                )
            )
    return findings


def listener(port: int) -> int | None:
    """The pid of the process that listens on a port, where we may know it."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    return next((int(one.name) for one in Path("/proc").glob("[0-9]*") if _open_files(one) & inodes), None)


def _open_files(process: Path) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):  # another user's, or gone meanwhile
        for one in (process / "fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                found.add(str(one.readlink()))
    return found


def program(pid: int) -> str:
    """A process's name."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "gone meanwhile"


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            if columns[3] == _LISTEN and int(columns[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{columns[9]}]")
    return found
