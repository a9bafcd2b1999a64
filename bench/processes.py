"""Programs of the bench as processes of their own: servers that print their port, generators that print figures."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from bench.orders import Orders

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def server(module: str, *arguments: str) -> Iterator[tuple[int, int]]:
    """A module of the bench that prints its port, until the block ends: pid and port."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.pid, int(process.stdout.readline())
    finally:
        end(process)


def generate(module: str, orders: Orders) -> dict[str, Any]:
    """Run a generator to its end; what it saw."""
    seconds = orders.seconds + sum(length for _, length in orders.phases)
    done = subprocess.run(
        [sys.executable, "-m", module],
        input=msgspec.json.encode(orders),
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
        timeout=60 + 3 * seconds,
    )
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@contextmanager
def generating(module: str, orders: Orders) -> Iterator["subprocess.Popen[bytes]"]:
    """A generator that runs beside the block: it prints a line when all is in place, and ends with its input."""
    process = subprocess.Popen(
        [sys.executable, "-m", module], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(orders) + b"\n")
        process.stdin.flush()
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            end(process)


def told(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """The next line of such a generator."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("a load generator ended before it said what it saw")
    said: dict[str, Any] = json.loads(line)
    return said


def end(process: "subprocess.Popen[Any]", within_s: float = 10) -> None:
    """Ask it to end, wait, and end it if it does not."""
    process.terminate()
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(within_s)


def environment_of(pid: int) -> Mapping[str, str]:
    """What a process of ours was started with."""
    raw = Path(f"/proc/{pid}/environ").read_bytes()
    pairs = (one.partition(b"=") for one in raw.split(b"\0") if one)
    return {name.decode(): value.decode() for name, _, value in pairs}
