"""Where the supervisor says what it bound and who works for it, for whoever started it on port 0."""

import os
import socket
from pathlib import Path

from archway.supervisor.sockets import address
from archway.supervisor.worker import Worker
from archway.up.private_files import write_json
from core.children.identity import identify


def write_ports(path: Path, sockets: dict[str, socket.socket], workers: list[Worker]) -> None:
    """`{"proxy": port, "internal": port, "metrics": port, "supervisor": [pid, began], "workers": [[pid, began]]}`."""
    known = [identify(pid) for pid in (os.getpid(), *(worker.pid for worker in workers))]
    rows = [who.row for who in known if who]
    ports = {name: address(bound)[1] for name, bound in sockets.items()}
    write_json(path, {**ports, "supervisor": rows[0] if rows else None, "workers": rows[1:]})
