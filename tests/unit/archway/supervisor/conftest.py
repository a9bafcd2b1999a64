"""A supervisor in a process of its own, over workers that answer each connection with their pid."""

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

SUPERVISOR = """
import asyncio, ctypes, json, sys
from pathlib import Path
ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: orphans come to us, as they do to process 1
from archway.supervisor import crew, run
from archway.supervisor.orders import Listeners, Supervision
from archway.supervisor.crew import NoWorkerLives
import logging
logging.basicConfig(level=logging.INFO)
for name, value in json.loads(sys.argv[4]).items():
    of = crew if hasattr(crew, name) else run
    assert hasattr(of, name)
    setattr(of, name, value)
any_port = ("127.0.0.1", 0)
orders = Supervision(Listeners(any_port, any_port, any_port), int(sys.argv[2]), grace_s=float(sys.argv[3]))
render = lambda files: b"".join(b"# " + file.name.encode() + b" " + file.read_bytes() + b"\\n" for file in files)
try:
    asyncio.run(run.supervise(orders, render, Path(sys.argv[1]), tuple(sys.argv[5:])))
except NoWorkerLives:
    sys.exit(3)
"""

WORKER = """
import os, select, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
try:
    open(os.environ["ARCHWAY_METRICS_FILE"], "a").write("counted")
except OSError:
    pass
listener = socket.socket(fileno=int(os.environ["ARCHWAY_PROXY_FD"]))
os.write(int(os.environ["ARCHWAY_READY_FD"]), b"1")
while True:
    select.select([listener], [], [], 0.1)  # a signal that comes just before it would wake nothing
    try:
        caller, _ = listener.accept()
    except BlockingIOError:
        continue
    caller.sendall(f"{os.getpid()} {os.environ['ARCHWAY_WORKER_NUMBER']}".encode())
    caller.close()
"""


@dataclass(slots=True)
class Supervised:
    """One running supervisor."""

    process: "subprocess.Popen[bytes]"
    file: Path
    log: Path

    @property
    def known(self) -> dict:
        """The ports file."""
        return json.loads(self.file.read_text()) if self.file.is_file() else {}

    def workers(self) -> set[int]:
        """Pids as the ports file has them."""
        return {pid for pid, _ in self.known.get("workers", [])}

    def starts(self) -> int:
        """How many workers were ever started."""
        return self.log.read_text().count("worker started")

    def said(self, what: str) -> bool:
        """Whether its log has this."""
        return what in self.log.read_text()

    def ask(self) -> tuple[int, int]:
        """Pid and number of the worker that answers."""
        return self.ask_at(self.known["proxy"])

    def ask_at(self, port: int) -> tuple[int, int]:
        """The same, at a port that was known before."""
        with socket.create_connection(("127.0.0.1", port), 30) as caller:
            pid, number = caller.recv(100).split()
        return int(pid), int(number)

    def until(self, true, within: float = 30.0):
        """Wait for a condition."""
        deadline = time.monotonic() + within
        while not (value := true()):
            assert time.monotonic() < deadline, f"not within {within} s; known: {self.known}"
            assert self.process.poll() is None, f"the supervisor ended: {self.process.returncode}"
            time.sleep(0.02)
        return value


@pytest.fixture
def supervise(tmp_path):
    """`supervise(workers=2, grace=5, command=...)` starts one; `LEAVE_S=0.5` and such are its modules' constants."""
    running = []

    def start(
        workers: int = 2,
        grace: float = 5.0,
        command: tuple[str, ...] = (),
        ports: Path = tmp_path / "ports.json",
        **constants: float,
    ) -> Supervised:
        script = tmp_path / "worker.py"
        script.write_text(WORKER)
        line = [sys.executable, "-c", SUPERVISOR, ports, str(workers), str(grace)]
        line.append(json.dumps(constants))
        log = tmp_path / "supervisor.log"
        with log.open("wb") as written:
            process = subprocess.Popen(
                [*line, *(command or (sys.executable, str(script)))],
                stdin=subprocess.DEVNULL,
                stderr=written,
                env=dict(os.environ),
            )
        running.append(process)
        return Supervised(process, ports, log)

    yield start
    for process in running:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
