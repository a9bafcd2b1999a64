"""The cost of each stage, measured in one process, with as few calls as it takes."""

from __future__ import annotations

import pytest

from tests.bench.conftest import run_program


@pytest.mark.parametrize("how", [(), ("--legacy",), ("--aiohttp",)], ids=["modern", "legacy", "aiohttp lane"])
def test_every_stage_of_a_call_has_a_line(how: tuple[str, ...]) -> None:
    done = run_program("bench.stages", "--calls", "400", *how)
    assert done.returncode == 0, done.stderr
    told = [line.split("  ")[0] for line in done.stdout.splitlines() if line.endswith(" us")]
    assert {"authenticate", "resolve_credential", "record"} <= set(told), done.stdout
