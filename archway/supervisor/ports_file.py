"""The file in which a supervisor says what it bound and who works for it, for those who started it on port 0.

`archway up` reads its workers' identities here, to show them and to end those that a killed supervisor left running.
"""

import asyncio
import logging
import os
import socket
from pathlib import Path
from typing import Protocol

from archway.private_files import read_json, write_json
from archway.supervisor.sockets import address
from archway.supervisor.worker import Worker
from core.children.identity import Identity, from_row, identify

log = logging.getLogger(__name__)
RETRY_S = 1.0


class HasWorkers(Protocol):
    """Whatever keeps the worker processes of one proxy alive and knows which of them live now."""

    @property
    def workers(self) -> list[Worker]:
        """Those that live."""


class PortsFile:
    """Keeps the file in step with the workers. A disk that is full or cannot be written costs only the file: that is
    said once, and it is written as soon as that is possible. With no path there is nothing to keep.
    """

    def __init__(self, path: Path | None, sockets: dict[str, socket.socket]) -> None:
        self._path, self._sockets = path, sockets
        self._workers: list[Worker] = []
        self._behind = False

    def changed(self, crew: HasWorkers) -> None:
        """A worker came or went."""
        self._workers = crew.workers
        self._write()

    async def keep_trying(self) -> None:
        """Write what could not be written before, until cancelled."""
        while True:
            await asyncio.sleep(RETRY_S)
            if self._behind:
                self._write()

    def _write(self) -> None:
        if self._path is None or self._sockets["proxy"].fileno() < 0:
            return
        try:
            write_ports(self._path, self._sockets, self._workers)
        except OSError as error:
            if not self._behind:
                log.error("the ports file cannot be written", extra={"file": str(self._path), "why": str(error)})
            self._behind = True
            return
        if self._behind:
            log.info("the ports file is written again", extra={"file": str(self._path)})
        self._behind = False


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
