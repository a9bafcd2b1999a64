"""`archway proxy`: the process above the proxy's workers.

It binds every port once, keeps the workers alive, adds up their counts on the one metrics listener, and is fit to
be process 1 of a container. SIGTERM or SIGINT: the workers finish their calls, then all end. SIGHUP: the workers
are replaced one by one, each when its successor is ready. It handles no call itself, so there is little in it that
could fail.
"""

import asyncio
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path

from archway.supervisor.crew import Crew, CrewPlan
from archway.supervisor.metrics_listener import MetricsListener, Render
from archway.supervisor.orders import Listeners, Supervision
from archway.supervisor.ports_file import PortsFile
from archway.supervisor.sockets import listen
from core.tasks import Tasks

log = logging.getLogger(__name__)
LEAVE_S = 3.0
NO_FOLDER = Path("/nonexistent/archway-counts")
"""Stands for a folder that could not be made; nothing is ever found in it or written to it."""
WORKER = (sys.executable, "-P", "-m", "archway.supervisor.lifeline", "proxy.worker")


async def supervise(
    orders: Supervision, render: Render, ports_file: Path | None = None, worker_command: tuple[str, ...] = WORKER
) -> None:
    """Run until SIGTERM or SIGINT; raises CannotListen, or NoWorkerLives when no worker can start."""
    sockets = bind(orders.listeners)
    folder = _counts_folder(ports_file)
    tasks = Tasks("supervisor")
    told = PortsFile(ports_file, sockets)
    crew = Crew(_plan(orders, sockets, folder, worker_command), told.changed)
    metrics = MetricsListener(folder, lambda: len(crew.workers), render)
    try:
        await metrics.open(sockets["metrics"])
        _ = tasks.spawn("ports file", told.keep_trying())
        await _until_told(tasks, crew)
    finally:
        for name in ("proxy", "internal"):
            sockets[name].close()  # the workers hold their own copies; when they close theirs, the port is free
        await tasks.close()
        await crew.end()
        await metrics.close()
        sockets["metrics"].close()
        shutil.rmtree(folder, ignore_errors=True)


def _counts_folder(ports_file: Path | None) -> Path:
    """An empty folder, mode 0700: nobody else writes our numbers. Where there is none to be had, workers count for
    themselves alone: calls matter more than counts.
    """
    beside = Path() if ports_file is None else ports_file.parent / "counts"
    try:
        if ports_file is not None:
            # Beside the ports file, so that a killed supervisor's is found and emptied by the next.
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(mode=0o700)
            return beside
        return Path(tempfile.mkdtemp(prefix="archway-counts-"))
    except OSError as error:
        log.error("the workers' counts cannot be told", extra={"file": str(beside), "why": str(error)})
        return NO_FOLDER


def bind(listeners: Listeners) -> dict[str, socket.socket]:
    """Every listener, by its short name; raises CannotListen with none left open."""
    wanted = (
        ("proxy", "ARCHWAY_PROXY_LISTEN", listeners.proxy),
        ("internal", "ARCHWAY_PROXY_INTERNAL_LISTEN", listeners.internal),
        ("metrics", "ARCHWAY_METRICS_LISTEN", listeners.metrics),
    )
    bound: dict[str, socket.socket] = {}
    try:
        for name, setting, (host, port) in wanted:
            bound[name] = listen(setting, host, port)
    except BaseException:
        for one in bound.values():
            one.close()
        raise
    return bound


async def _until_told(tasks: Tasks, crew: Crew) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, crew.want_roll)
    _ = tasks.spawn("roll", crew.keep_rolling())
    keeping = tasks.spawn("keep", crew.keep())
    waiting = tasks.spawn("wait", stop.wait())
    await asyncio.wait({keeping, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if keeping.done():
        await keeping  # raises why


def _plan(orders: Supervision, sockets: dict[str, socket.socket], folder: Path, command: tuple[str, ...]) -> CrewPlan:
    public, internal = sockets["proxy"].fileno(), sockets["internal"].fileno()
    told = {
        "ARCHWAY_PROXY_FD": str(public),
        "ARCHWAY_PROXY_INTERNAL_FD": str(internal),
        "ARCHWAY_GRACE_SECONDS": f"{orders.grace_s:g}",
    }
    # A worker takes the grace for its calls; then it still ends those that are left and sends their records.
    leave_s = orders.grace_s + LEAVE_S
    return CrewPlan(orders.workers, command, {**os.environ, **told}, (public, internal), folder, leave_s)
