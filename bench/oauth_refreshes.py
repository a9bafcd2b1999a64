"""How many refresh tokens control takes: `python -m bench.oauth_refreshes`.

Clients refresh at the listener for people and programs of a deployment of its own, each with a grant that is its own,
and each token once, as they come: so every refresh rotates a family in PostgreSQL, is counted in Redis, and makes an
access token. Control is kept on one core and its database on the others. First in a closed loop, which tells the
most; then at a given rate, which tells how long a client waits. CPU is told by who spent it, as `bench/cpu.py` reads
it.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import asyncpg
import orjson
import uvloop

from bench.cpu import cpu_seconds, in_front, keep_on
from bench.deployment import Deployment, deployment
from bench.people import People
from bench.plan import plan_of
from bench.processes import environment_of, server
from bench.sides import PROXY_CORE
from control.registry.refresh_token import RefreshTokens
from core.keys import parse_key_ring

RATE: Final = 200.0
AT_ONCE: Final = 16
"""Clients that refresh at one moment, in the closed loop."""
_FORM: Final = "Content-Type: application/x-www-form-urlencoded\r\nConnection: keep-alive\r\n"


class WrongAnswer(RuntimeError):
    """A refresh that was refused: a figure over it would mean nothing."""


class Clients:
    """Clients with a grant each, which refresh in turn over a few connections."""

    def __init__(self, url: str, client_id: str, tokens: list[str]) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._at, self._client_id = (parts.hostname, parts.port), client_id
        self._tokens: asyncio.Queue[str] = asyncio.Queue()
        for token in tokens:
            self._tokens.put_nowait(token)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.waits: list[float] = []

    async def closed_loop(self, seconds: float, at_once: int) -> float:
        """As many as it takes; refreshes a second."""
        self.waits.clear()
        began = time.perf_counter()

        async def one_after_the_other() -> None:
            while time.perf_counter() - began < seconds:
                await self.refresh(time.perf_counter())

        await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
        return len(self.waits) / (time.perf_counter() - began)

    async def open_loop(self, rate: float, seconds: float) -> float:
        """So many a second, each when it is due, and its wait counted from then on; refreshes a second."""
        self.waits.clear()
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * seconds)):
                due = began + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(self.refresh(due))
        return len(self.waits) / (time.perf_counter() - began)

    async def refresh(self, due: float) -> None:
        """One client refreshes, and waits in line for its next time."""
        token = await self._tokens.get()
        connection = self._idle.pop() if self._idle else await asyncio.open_connection(*self._at)
        body = urlencode({"grant_type": "refresh_token", "refresh_token": token, "client_id": self._client_id})
        told = await _asked(connection, self._at, "/oauth/token", _FORM, body.encode())
        self.waits.append(time.perf_counter() - due)
        self._idle.append(connection)
        self._tokens.put_nowait(str(told["refresh_token"]))

    def wait_ms(self, share: float) -> float:
        """What this share of the refreshes waited at most."""
        waits = sorted(self.waits)
        return 1000 * waits[min(len(waits) - 1, int(share * len(waits)))]

    async def close(self) -> None:
        """Close the connections."""
        for _, writer in self._idle:
            writer.close()


async def measured(
    running: Deployment, *, grants: int, seconds: float, rate: float = RATE, at_once: int = AT_ONCE
) -> dict[str, float]:
    """`oauth_refreshes_...`: a second at most, CPU of each by who spent it, and the waits at a given rate."""
    behind = running.behind
    everybody = [pid for pids in behind.values() for pid in pids]
    if not running.plan.pin:
        with in_front(everybody):
            return await _measured(running, grants, seconds, rate, at_once)
    others = os.sched_getaffinity(behind["control"][0])
    keep_on(behind["control"], [PROXY_CORE])
    try:
        with in_front(everybody):
            return await _measured(running, grants, seconds, rate, at_once)
    finally:
        keep_on(behind["control"], others)


async def _measured(running: Deployment, grants: int, seconds: float, rate: float, at_once: int) -> dict[str, float]:
    clients = await _clients(running, grants)
    try:
        _ = await clients.closed_loop(min(1.0, seconds), at_once)
        before = _used(running)
        most = await clients.closed_loop(seconds, at_once)
        used = {who: spent - before[who] for who, spent in _used(running).items()}
        done, most_p99 = len(clients.waits), clients.wait_ms(0.99)
        at_rate = await clients.open_loop(rate, seconds)
        waited = {"p50_ms": clients.wait_ms(0.5), "p99_ms": clients.wait_ms(0.99)}
    finally:
        await clients.close()
    each = {f"{who}_us": 1e6 * spent / done for who, spent in used.items()}
    told = {"most_per_second": most, "most_p99_ms": most_p99, **each, "offered_per_second": rate}
    return {f"oauth_refreshes_{name}": value for name, value in (told | {"per_second": at_rate} | waited).items()}


async def registered(url: str) -> str:
    """A public client that registered by itself; its name."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    at = (parts.hostname, parts.port)
    body = orjson.dumps({"client_name": "bench", "redirect_uris": ["https://client.example.com/callback"]})
    connection = await asyncio.open_connection(*at)
    try:
        told = await _asked(connection, at, "/oauth/register", "Content-Type: application/json\r\n", body)
    finally:
        connection[1].close()
    return str(told["client_id"])


async def _clients(running: Deployment, count: int) -> Clients:
    control = environment_of(running.behind["control"][0])
    url = running.proxy_environment["ARCHWAY_CONTROL_PUBLIC_URL"]
    client_id = await registered(url)
    connection = await asyncpg.connect(control["ARCHWAY_DATABASE_URL"])
    try:
        people = await People.made(connection, count)
        client_pk = await connection.fetchval("select id from oauth_clients where client_id = $1", client_id)
        grants = await people.grants(client_pk, running.gateway_id(running.plain))
    finally:
        await connection.close()
    made = RefreshTokens(parse_key_ring("ARCHWAY_SECRET_KEY", control["ARCHWAY_SECRET_KEY"]))
    return Clients(url, client_id, [made.token(grant.id, 1, grant.salt) for grant in grants])


async def _asked(
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    at: tuple[str, int],
    path: str,
    lines: str,
    body: bytes,
) -> dict[str, Any]:
    """The JSON that is answered; raises WrongAnswer for a refusal."""
    reader, writer = connection
    head = f"POST {path} HTTP/1.1\r\nHost: {at[0]}:{at[1]}\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    answered = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(answered.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    told = await reader.readexactly(length)
    if answered.split(b" ", 2)[1] not in {b"200", b"201"}:
        raise WrongAnswer(f"{path} was answered: {answered.splitlines()[0]!r} {told[:300]!r}")
    found: dict[str, Any] = orjson.loads(told)
    return found


def _used(running: Deployment) -> dict[str, float]:
    return {who: cpu_seconds(pids) for who, pids in running.behind.items()}


def main(arguments: list[str] | None = None) -> int:
    """Ask, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.oauth_refreshes", description=__doc__.splitlines()[0])
    parser.add_argument("--grants", type=int, default=2000, help="that are refreshed in turn (2000)")
    parser.add_argument("--seconds", type=float, default=10, help="of each loop (10)")
    parser.add_argument("--rate", type=float, default=RATE, help="refreshes a second in the second loop (200)")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="clients in the first loop (16)")
    options = parser.parse_args(arguments)
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="archway-bench-")))
        _, port = ending.enter_context(server("bench.stub_upstream", "0"))
        running = ending.enter_context(deployment(plan_of(), folder / "state", port, port, gives_way=False))
        found = uvloop.run(
            measured(
                running,
                grants=options.grants,
                seconds=options.seconds,
                rate=options.rate,
                at_once=options.at_once,
            )
        )
    for name, value in found.items():
        print(f"{name}: {value:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
