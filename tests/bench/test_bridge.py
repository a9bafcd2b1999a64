"""The cost of a call in the bridge, with as few calls as it takes."""

from __future__ import annotations

from tests.bench.conftest import run_program


def test_calls_at_a_server_over_stdio_have_their_figures() -> None:
    done = run_program("bench.bridge", "--seconds", "0.3", "--connections", "2")
    assert done.returncode == 0, done.stderr
    told = dict(line.split(": ") for line in done.stdout.splitlines())
    assert {"bridge_us", "bridge_server_us", "bridge_calls_per_core_second"} <= told.keys()
    assert float(told["bridge_calls_per_second"]) > 0
