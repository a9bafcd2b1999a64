"""Very many calls over connections that carry strays: no caller ever sees another's marker.

`ARCHWAY_MARKER_CALLS=1000000 pytest tests/proxy/test_answer_markers.py` makes a million; a failure prints its seed.
"""

import asyncio
import os
from collections.abc import Callable

import pytest
import uvloop

from tests.fakes.misbehaving_upstream import marked_calls

CALLS = int(os.environ.get("ARCHWAY_MARKER_CALLS", "3000"))
FEW = min(CALLS, 2000)


@pytest.mark.timeout(120 + CALLS / 100)
@pytest.mark.parametrize(
    ("calls", "pool", "loop"),
    [
        pytest.param(CALLS, True, uvloop.new_event_loop, id="our pool on uvloop, as in a worker"),
        pytest.param(FEW, True, asyncio.new_event_loop, id="our pool on asyncio's own loop"),
        pytest.param(FEW, False, uvloop.new_event_loop, id="aiohttp's client"),
    ],
)
def test_no_caller_ever_sees_anothers_marker(
    calls: int, pool: bool, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    with asyncio.Runner(loop_factory=loop) as runner:
        counts = runner.run(marked_calls(calls, seed=seed, pool=pool))
    assert counts.crossed == 0, f"seed {seed}"
    assert counts.answered + counts.refused == calls
    assert counts.answered > calls / 3, f"seed {seed}: {counts}"
