"""Everything that a killed `archway up` left running in its state folder, and its end.

Called at each start and by `archway down`. Left out: one program and its guard's record (core/children/orphans.py),
and the file that says which processes the proxy's workers are (archway/supervisor/ports_file.py).
"""

from collections.abc import Iterable
from pathlib import Path

from archway.supervisor.ports_file import recorded_workers
from core.children.identity import end, lives
from core.children.orphans import end_program, recorded


def end_all(runs: Iterable[Path], ports: Path) -> list[str]:
    """End everything that is recorded in these folders; the names of what was still alive."""
    alive: list[str] = []
    # Those who use a server go before the server does.
    found = [record for run in runs for record in run.glob("*.json")]
    records = sorted(found, key=lambda path: path.stem in {"postgres", "redis"})
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
