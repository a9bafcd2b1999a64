"""Very many calls over connections that carry strays: no caller ever sees another's marker.

`ARCHWAY_MARKER_CALLS=1000000 pytest tests/proxy/test_answer_markers.py` makes a million; a failure prints its seed.
"""

import os

import pytest

from tests.fakes.misbehaving_upstream import marked_calls

CALLS = int(os.environ.get("ARCHWAY_MARKER_CALLS", "3000"))


@pytest.mark.timeout(120 + CALLS / 100)
@pytest.mark.parametrize("pool", [True, False], ids=["our pool", "aiohttp's client"])
async def test_no_caller_ever_sees_anothers_marker(pool: bool) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    calls = CALLS if pool else min(CALLS, 3000)
    counts = await marked_calls(calls, seed=seed, pool=pool)
    assert counts.crossed == 0, f"seed {seed}"
    assert counts.answered + counts.refused == calls
    assert counts.answered > calls / 3, f"seed {seed}: {counts}"
