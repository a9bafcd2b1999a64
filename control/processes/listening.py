"""Whether what listens on a port is the server that was started for it, as the kernel tells it (proc(5)).

All servers of a machine share its loopback, so that another one may take a port in the moment between its choice and
the server's own start, or when the server has ended, and would be called in its place. A server with a user of its
own is told by the user of the socket; one that is us by the processes that hold it. Elsewhere than on Linux nobody
tells, and nothing is doubted. Blocks, for some milliseconds.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_PROC: Final = Path("/proc")
_LISTENS: Final = "0A"
_LOOPBACK: Final = ("0100007F", "00000000", "0000000000000000FFFF00000100007F", "0" * 32)
"""Addresses at which a call to 127.0.0.1 is taken, the first that there is: itself, any, and the same in IPv6."""


class _Socket(NamedTuple):
    address: str
    user: int
    inode: str


def is_its_own(port: int, pid: int, user: int | None) -> bool:
    """Whether it is the socket of `user`, or (None) of `pid` or of what that started, or of nobody."""
    taken = _socket(port)
    if taken is None:
        return True
    if user is not None:
        return taken.user == user
    held = [_holds(one, taken.inode) for one in _with_descendants(pid)]
    # One that lets nobody look, as a bridge does, may hold it if it is of our own user.
    return True in held or (None in held and taken.user == os.geteuid())


def _socket(port: int) -> _Socket | None:
    found = {one.address: one for name in ("tcp", "tcp6") for one in _sockets(name, port)}
    return next((found[address] for address in _LOOPBACK if address in found), None)


def _sockets(name: str, port: int) -> Iterator[_Socket]:
    try:
        rows = (_PROC / "net" / name).read_text().splitlines()[1:]
    except OSError:
        return
    for row in rows:
        told = row.split()
        address, _, number = told[1].partition(":")
        if told[3] == _LISTENS and int(number, 16) == port:
            yield _Socket(address, int(told[7]), told[9])


def _holds(pid: int, inode: str) -> bool | None:
    """None where that cannot be seen."""
    try:
        held = list((_PROC / str(pid) / "fd").iterdir())
    except PermissionError:
        return None
    except OSError:  # it has ended
        return False
    return any(_leads_to(one, f"socket:[{inode}]") for one in held)


def _leads_to(link: Path, what: str) -> bool:
    try:
        return str(link.readlink()) == what
    except OSError:  # it has been closed
        return False


def _with_descendants(pid: int) -> list[int]:
    below: dict[int, list[int]] = {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            told = (folder / "stat").read_bytes()
        except OSError:
            continue
        # The name stands in parentheses and may hold anything; after it: state, parent.
        below.setdefault(int(told.rpartition(b")")[2].split()[1]), []).append(int(folder.name))
    found = [pid]
    for one in found:
        found += below.get(one, [])
    return found
