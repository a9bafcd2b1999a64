"""Tries from inside of a pod what can be reached from it, and says so; the program of probe pods.

`python -I -m bridge.reach --listen 8081` listens and does nothing else. With `--open` and `--shut` it tries: first
what should answer, which shows too that the pod's network is there; then what should not, again and again, since a
policy may need seconds to hold; then the first once more. What it saw goes to the file `--tell`, as a JSON object of
target to `reached`, `blocked` or `unresolved` (its name has no address here). Started by
`control/orchestrator/probing`, which judges. It needs the standard library alone.
"""

import argparse
import asyncio
import json
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from core.reach_terms import API_SERVER, MOST_TARGETS, NAMESERVER, Outcome

CONNECT_WITHIN_S: Final = 2.0
"""For one connection: what is dropped never answers."""
AGAIN_S: Final = 0.2
SHUT_TIMES: Final = 2
"""So many failures in a row are a wall; one may be chance."""

Place = tuple[str, int]
Seen = dict[str, Outcome]
Connect = Callable[[Place], Awaitable[Outcome]]


def place_of(target: str, nameservers: Path) -> Place:
    """Host and port of a target such as `example.com:443` or `[2001:db8::1]:443`, or of one of the two words for what
    a pod knows; an empty host where it does not know that. Raises ValueError; OSError where the file is not there.
    """
    if target == API_SERVER:
        return os.environ.get("KUBERNETES_SERVICE_HOST", ""), int(os.environ.get("KUBERNETES_SERVICE_PORT", "443"))
    if target == NAMESERVER:
        lines = (line.split() for line in nameservers.read_text().splitlines())
        return next((words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"), ""), 53
    host, _, port = target.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


async def connect(place: Place) -> Outcome:
    """What becomes of one connection."""
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            _, writer = await asyncio.open_connection(*place)
    except socket.gaierror:
        return "unresolved"
    except OSError:  # TimeoutError is one
        return "blocked"
    writer.close()
    return "reached"


async def tried(
    should_open: Sequence[str], should_shut: Sequence[str], *, within: float, nameservers: Path, by: Connect = connect
) -> Seen:
    """What becomes of each target. One that is as it should be is known at once, another after `within` seconds."""

    async def each(targets: Sequence[str], way: Callable[[Place, float, Connect], Awaitable[Outcome]]) -> Seen:
        places = [_known(target, nameservers) for target in targets]
        end = asyncio.get_running_loop().time() + within
        saw = await asyncio.gather(*(way(place, end, by) for place in places))
        return dict(zip(targets, saw, strict=True))

    seen = await each(should_open, _until_reached)
    seen |= await each(should_shut, _until_shut)
    return seen | await each([target for target in should_open if seen[target] == "reached"], _until_reached)


def _known(target: str, nameservers: Path) -> Place:
    try:
        return place_of(target, nameservers)
    except (ValueError, OSError):
        return "", 0


async def _until_reached(place: Place, end: float, by: Connect) -> Outcome:
    loop = asyncio.get_running_loop()
    while place[0]:
        saw = await by(place)
        if saw == "reached" or loop.time() >= end:
            return saw
        await asyncio.sleep(AGAIN_S)
    return "unresolved"


async def _until_shut(place: Place, end: float, by: Connect) -> Outcome:
    loop, failures = asyncio.get_running_loop(), 0
    while place[0]:
        saw = await by(place)
        failures = 0 if saw == "reached" else failures + 1
        if failures == SHUT_TIMES or (saw == "reached" and loop.time() >= end):
            return saw
        await asyncio.sleep(AGAIN_S)
    return "unresolved"


async def listen(ports: Sequence[int]) -> None:
    """Take every connection on these ports and end it, until cancelled."""

    def taken(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    servers = [await asyncio.start_server(taken, None, port) for port in ports]
    await asyncio.gather(*(server.serve_forever() for server in servers))


def main(arguments: Sequence[str]) -> None:
    """Listen, or try and tell."""
    parser = argparse.ArgumentParser(prog="python -m bridge.reach", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--listen", type=int, action="append", default=[], metavar="PORT")
    parser.add_argument("--open", action="append", default=[], metavar="HOST:PORT", help="should answer")
    parser.add_argument("--shut", action="append", default=[], metavar="HOST:PORT", help="should not")
    parser.add_argument("--within", type=float, default=20.0, metavar="SECONDS", help="for each of the two")
    parser.add_argument("--tell", default="/dev/stdout", metavar="FILE")
    parser.add_argument("--nameservers", type=Path, default=Path("/etc/resolv.conf"), metavar="FILE")
    asked = parser.parse_args(arguments)
    if len(asked.open) + len(asked.shut) > MOST_TARGETS:
        parser.error(f"at most {MOST_TARGETS} targets")
    if asked.listen:
        asyncio.run(listen(asked.listen))
        return
    seen = asyncio.run(_told(asked))
    Path(asked.tell).write_text(json.dumps(seen) + "\n")


async def _told(asked: argparse.Namespace) -> Seen:
    return await tried(asked.open, asked.shut, within=asked.within, nameservers=asked.nameservers)


if __name__ == "__main__":
    main(sys.argv[1:])
