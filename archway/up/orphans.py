"""What a start that was killed left running, and its end.

Called at each start, before the restart of one program, and by `archway down`. It believes a record only where pid
and beginning agree, so that a stranger who got the pid is left in peace.
"""

import signal
from pathlib import Path

from archway.up.private_files import read_json
from archway.up.processes import Identity, end, lives

STOP = {"postgres": signal.SIGINT}
"""PostgreSQL's SIGTERM waits for its clients; its SIGINT is the fast, clean stop."""


def recorded(record: Path) -> dict[str, Identity]:
    """The identities in one guard's record, by role: `guard` and `program`."""
    return {
        role: Identity(int(who[0]), str(who[1]))
        for role, who in read_json(record).items()
        if isinstance(who, list) and len(who) == 2
    }


def recorded_workers(ports: Path) -> list[Identity]:
    """The workers that a supervisor wrote down, and the supervisor itself."""
    known = read_json(ports)
    rows = [known.get("supervisor"), *known.get("workers", [])]
    return [Identity(int(row[0]), str(row[1])) for row in rows if isinstance(row, list) and len(row) == 2]


def end_program(record: Path, grace: float = 5.0) -> None:
    """End the program of one record, then its guard, which by then has ended by itself."""
    who = recorded(record)
    stop = STOP.get(record.stem, signal.SIGTERM)
    if "program" in who:
        end([who["program"]], stop, grace)
    if "guard" in who:
        end([who["guard"]], signal.SIGTERM, grace)
    record.unlink(missing_ok=True)


def end_all(run: Path, ports: Path) -> list[str]:
    """End everything that is recorded; the names of what was still alive."""
    alive: list[str] = []
    # Those who use a server go before the server does.
    records = sorted(run.glob("*.json"), key=lambda path: path.stem in {"postgres", "redis"})
    for record in records:
        if record == ports:
            continue
        if any(lives(one) for one in recorded(record).values()):
            alive.append(record.stem)
        end_program(record)
    workers = [one for one in recorded_workers(ports) if lives(one)]
    if workers:
        alive.append("proxy workers")
        end(workers)
    ports.unlink(missing_ok=True)
    return alive
