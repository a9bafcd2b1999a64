"""Both lanes, and plans, under atheris, which keeps what reaches new code of the fast lane. Run by `make fuzz`.

    python -m tests.fuzz.fuzz_lanes [options of libFuzzer] [folders of inputs]

An input is what one connection sends, as in `grammar.py`; where it is cut comes from its own bytes. Most new inputs
are made by the grammar, the others by bytes that libFuzzer changes. What the lanes do not agree about is printed, and
kept as `crash-*`: put it into `tests/fuzz/corpus` under a name that tells the story, and it is tested ever after.
"""

import asyncio
import logging
import os
import sys
import tempfile
from pathlib import Path
from random import Random

import atheris
import uvloop

with atheris.instrument_imports(include=["proxy.edge", "proxy.plans", "proxy.stages.admit"]):
    import proxy.worker  # noqa: F401  # before anything else of ours, so that the lanes are instrumented

from tests.fixtures_redis import RedisServer
from tests.fuzz.differences import judged
from tests.fuzz.grammar import GOOD, request, scratched
from tests.fuzz.lanes import all_lanes
from tests.fuzz.repeated import conversation

LONGEST = 64 << 10


def cuts_of(raw: bytes) -> list[int]:
    """Where to cut: nowhere, everywhere, or at up to five places; the same for the same bytes."""
    rnd = Random(raw)
    how = rnd.randrange(4)
    if how == 0:
        return []
    if how == 1 and len(raw) < 2000:
        return list(range(1, len(raw) + 200))
    return [rnd.randrange(1, len(raw) + 2) for _ in range(rnd.randrange(1, 6))]


def changed(data: bytes, longest: int, seed: int) -> bytes:
    """A new input, from an older one or from none."""
    rnd = Random(seed)
    how = rnd.randrange(6)
    if how <= 1:
        return conversation(rnd)[:longest]
    if how == 2:
        return (data + request(rnd))[:longest]
    if how == 3:
        return (bytes(rnd.choice(GOOD)()) + data)[:longest]
    if how == 4:
        return scratched(data, rnd)[:longest]
    return bytes(atheris.Mutate(data, longest))


def fuzz(redis: RedisServer) -> None:
    """Fuzz until libFuzzer has had enough; it ends the program itself."""
    logging.disable(logging.ERROR)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        running = all_lanes(redis, slow=0.15)
        lanes, upstream = runner.run(running.__aenter__())

        def one(data: bytes) -> None:
            said = runner.run(judged(lanes, data, cuts_of(data)))
            upstream.seen.clear()
            if said:
                print(f"\nThe lanes do not agree about\n{said}", file=sys.stderr)
                raise AssertionError("the lanes do not agree")

        atheris.Setup([*sys.argv, f"-max_len={LONGEST}"], one, custom_mutator=changed)
        atheris.Fuzz()


def main() -> None:
    """Fuzz in a child, since libFuzzer ends its program past every `finally`: the server behind it is ended here."""
    with tempfile.TemporaryDirectory() as folder:
        redis = RedisServer(Path(folder))
        redis.start()
        try:
            child = os.fork()
            if not child:
                fuzz(redis)
            _, status = os.waitpid(child, 0)
        finally:
            redis.kill()
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
