"""nginx from Debian, started for a row: the bare proxy to compare with, or an ingress before a side of ours."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.cpu import keep_on, with_children
from bench.orders import Target
from bench.processes import ROOT, end
from bench.sides import PROXY_CORE, Side

BINARY = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
"""None where it is not installed; the rows that need it say so."""
_STARTS_S = 5.0


@contextmanager
def bare_nginx(stub_port: int, *, pin: bool) -> Iterator[Side]:
    """A bare reverse proxy to the stub server."""
    with _nginx("nginx.conf", stub_port, pin=pin) as (port, pid):
        yield Side("nginx", f"http://127.0.0.1:{port}", pid, Target("/", "echo"))


@contextmanager
def nginx_before(side: Side) -> Iterator[Side]:
    """An ingress before a side: the load goes to nginx, the cost that is told is the side's."""
    with _nginx("nginx_front.conf", int(side.url.rpartition(":")[2]), pin=False) as (port, _):
        yield Side(f"{side.name} behind nginx", f"http://127.0.0.1:{port}", side.pid)


@contextmanager
def nginx_serving(pages: Path, *, pin: bool) -> Iterator[Side]:
    """A server of the files of a folder, whatever the method: the least that giving out their bytes costs."""
    with _nginx("nginx_pages.conf", 0, pin=pin, pages=pages) as (port, pid):
        yield Side("nginx_pages", f"http://127.0.0.1:{port}", pid)


@contextmanager
def _nginx(conf: str, upstream_port: int, *, pin: bool, pages: Path = ROOT) -> Iterator[tuple[int, int]]:
    assert BINARY is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = (Path(__file__).parent / conf).read_text()
    text = text.replace("UPSTREAM_PORT", str(upstream_port)).replace("PORT", str(port)).replace("PAGES", str(pages))
    with tempfile.TemporaryDirectory(prefix="archway-bench-nginx-") as folder:
        Path(folder).chmod(0o755)  # its worker may be another user
        (Path(folder) / "nginx.conf").write_text(text)
        process = subprocess.Popen([BINARY, "-e", "stderr", "-p", folder, "-c", "nginx.conf"])
        try:
            _wait(port)
            if pin:
                keep_on(with_children(process.pid), [PROXY_CORE])
            yield port, process.pid
        finally:
            end(process)


def _wait(port: int) -> None:
    until = time.monotonic() + _STARTS_S
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
