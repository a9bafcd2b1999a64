"""The file in which a supervisor says what it bound and who works for it, for those who started it on port 0.

`archway up` reads its workers' identities here, to show them and to end those that a killed supervisor left running.
"""

import os
import socket
from pathlib import Path

from archway.private_files import read_json, write_json
from archway.supervisor.sockets import address
from archway.supervisor.worker import Worker
from core.children.identity import Identity, from_row, identify


def write_ports(path: Path, sockets: dict[str, socket.socket], workers: list[Worker]) -> None:
    """`{"proxy": port, "internal": port, "metrics": port, "supervisor": [pid, began], "workers": [[pid, began]]}`."""
    known = [identify(pid) for pid in (os.getpid(), *(worker.pid for worker in workers))]
    rows = [who.row for who in known if who]
    ports = {name: address(bound)[1] for name, bound in sockets.items()}
    write_json(path, {**ports, "supervisor": rows[0] if rows else None, "workers": rows[1:]})


def recorded_workers(path: Path) -> list[Identity]:
    """The workers that a supervisor wrote down, before them the supervisor itself; none where there is no file."""
    known = read_json(path)
    rows = (known.get("supervisor"), *known.get("workers", []))
    return [who for who in map(from_row, rows) if who is not None]
