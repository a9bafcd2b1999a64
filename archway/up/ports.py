"""Which loopback port each listener gets: the same as last time wherever it can, because clients keep URLs."""

import secrets
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
PREFERRED = {"proxy": 8400, "control": 8401}
_LOWEST, _USUAL_EPHEMERAL, _TRIES = 10_240, 32_768, 100
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


class PortTaken(Exception):
    """A port that was asked for by number is in use."""


def settle(name: str, asked: int | None, remembered: int | None, taken: set[int]) -> int:
    """The port for `name`; adds it to `taken`. `asked` None: last time's, the preferred, or any; 0: any free one."""
    if asked:
        if asked in taken or not is_free(asked):
            raise PortTaken(
                f"--{name}-port {asked} is in use by another program; "
                f"choose another, or 0 for any free one (`ss -ltnp 'sport = :{asked}'` shows who has it)"
            )
        taken.add(asked)
        return asked
    wishes = (remembered, PREFERRED.get(name) if asked is None else None)
    port = next((wish for wish in wishes if wish and wish not in taken and is_free(wish)), None)
    while port is None or port in taken:
        port = free_port()
    taken.add(port)
    return port


def is_free(port: int) -> bool:
    """Whether a listener could be bound now. SO_REUSEADDR as servers set it: old connections do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Any free port, below those that the system gives to outgoing connections (RFC 6056 section 3.2).

    Seconds pass before the program that it is for binds it; a port of that range could be gone by then.
    """
    for _ in range(_TRIES):
        port = _LOWEST + secrets.randbelow(_ephemeral_from() - _LOWEST)  # whatever a program does to `random`
        if is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _ephemeral_from() -> int:
    try:
        lowest = int(_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _USUAL_EPHEMERAL
    return lowest if lowest > _LOWEST + _TRIES else _USUAL_EPHEMERAL
