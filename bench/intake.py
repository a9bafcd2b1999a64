"""What it costs to keep the records of calls, behind the proxy: `python -m bench.intake`.

Batches as proxies send them go to the stream of a deployment of its own, and control takes them. CPU is user + system
of every process of control, PostgreSQL and Redis, read from /proc, a record. Rounds of the forms alternate; the least
of the rounds is told, since a busy machine can only add. Called by whoever makes this cheaper; `make bench` tells the
same beside real calls.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Final

import msgspec
import redis

from bench.cpu import cpu_seconds
from bench.deployment import Deployment, deployment
from bench.plan import plan_of
from bench.processes import server
from core.identifiers import new_id
from core.keys import parse_key_ring
from core.records import BATCH_PURPOSE, FORMAT, Batch, CallRecord, Row
from core.redis_names import RECORDS
from core.sealing import Sealer

_CALLERS: Final = 64
_TAKEN_WITHIN_S: Final = 120.0

Form = Callable[[str, int, int], Batch]
"""Makes a batch of a worker, a number and a count of records."""


def _people() -> list[CallRecord]:
    """What the calls of so many callers say of themselves."""
    gateway, entry, installation = new_id(), new_id(), new_id()
    return [
        CallRecord(
            "", 0.0, 0.0, "", "allowed", "ok", "tools/call", f"user:{new_id()}", "token", new_id(), "bench 1.0",
            "127.0.0.1", gateway, 3, "one__echo", entry, installation, "organisation", 1,
        )
        for _ in range(_CALLERS)
    ]  # fmt: skip


PEOPLE: Final = _people()


def _calls(records: int) -> Iterator[CallRecord]:
    for number in range(records):
        call_id = new_id()
        yield msgspec.structs.replace(
            PEOPLE[number % _CALLERS],
            id=call_id,
            request_id=call_id,
            time=time.time(),
            duration_ms=1.234 + number / 1000,
            arguments_sha256=hashlib.sha256(call_id.encode()).hexdigest(),
            bytes_in=200,
            bytes_out=300,
        )


def whole(worker: str, number: int, records: int) -> Batch:
    """Every record by itself."""
    return Batch(worker, number, 0, list(_calls(records)))


def rows(worker: str, number: int, records: int) -> Batch:
    """Rows beside a table of what they have in common."""
    made: list[CallRecord | Row] = [
        (
            at % _CALLERS,
            one.id,
            one.time,
            one.duration_ms,
            one.status,
            bytes.fromhex(one.arguments_sha256),
            one.bytes_in,
            one.bytes_out,
        )
        for at, one in enumerate(_calls(records))
    ]
    return Batch(worker, number, 0, made, PEOPLE, FORMAT)


FORMS: Final[dict[str, Form]] = {"whole": whole, "rows": rows}


def main(arguments: list[str] | None = None) -> int:
    """Feed, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.intake", description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, default=40, help="of each round (40)")
    parser.add_argument("--records", type=int, default=500, help="in each batch (500)")
    parser.add_argument("--rounds", type=int, default=5, help="of each form (5)")
    options = parser.parse_args(arguments)
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="archway-bench-")))
        _, port = ending.enter_context(server("bench.stub_upstream", "0"))
        running = ending.enter_context(deployment(plan_of({}), folder / "state", port, port))
        intake = Intake(running)
        found: dict[str, list[dict[str, float]]] = {name: [] for name in FORMS}
        for _ in range(options.rounds):
            for name, form in FORMS.items():
                found[name].append(intake.round(form, options.batches, options.records))
    for name, rounds in found.items():
        for what in rounds[0]:
            print(f"{name}_{what}: {min(one[what] for one in rounds):.1f}")
    return 0


class Intake:
    """The stream of a deployment, and what is behind it."""

    def __init__(self, running: Deployment) -> None:
        environment = running.proxy_environment
        self._sealer = Sealer(parse_key_ring("proxy", environment["ARCHWAY_PROXY_KEY"]), BATCH_PURPOSE)
        self._redis = redis.Redis.from_url(environment["ARCHWAY_REDIS_URL"], protocol=2)
        self._running, self._workers = running, count()

    def round(self, form: Form, batches: int, records: int) -> dict[str, float]:
        """Send the batches; CPU microseconds of everybody and bytes on the wire, a record."""
        worker, size = f"bench-{next(self._workers)}-{new_id()}", 0
        sealed = []
        for number in range(1, batches + 1):
            body = msgspec.msgpack.encode(form(worker, number, records))
            size += len(body)
            sealed.append(self._sealer.seal(body, worker, str(number)))
        before = self._used()
        for number, one in enumerate(sealed, 1):
            self._redis.xadd(RECORDS, {"w": worker, "n": number, "b": one})
        self._wait_until_taken()
        used = self._used()
        told = {f"{who}_us_per_record": 1e6 * (used[who] - before[who]) / (batches * records) for who in used}
        return {**told, "bytes_per_record": size / (batches * records)}

    def _used(self) -> dict[str, float]:
        return {who: cpu_seconds(pids) for who, pids in self._running.behind.items()}

    def _wait_until_taken(self) -> None:
        until = time.monotonic() + _TAKEN_WITHIN_S
        while self._redis.xlen(RECORDS):
            if time.monotonic() > until:
                raise RuntimeError("control did not take the batches; its log says why")
            time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
