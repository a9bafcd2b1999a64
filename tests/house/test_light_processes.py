"""What the proxy's long-lived processes load: memory of every deployment, and the time until a new worker serves.

The contracts of imports in pyproject.toml see our own imports; these see what other packages load besides.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

NEVER = "archway.all_commands asyncpg control mcp prometheus_client pydantic rich typer"
SUPERVISOR = "aiohttp cryptography httptools jwt msgspec opentelemetry proxy.worker redis requests uvloop"
# Traces are sent by what is imported once there is a collector. redis-py loads some of OpenTelemetry's SDK itself.
WORKER = "opentelemetry.exporter requests"


def loaded(module: str) -> set[str]:
    command = [sys.executable, "-c", f"import {module}, sys; print(*sys.modules)"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize(
    ("module", "unwanted"), [("archway.supervisor.__main__", SUPERVISOR), ("proxy.worker", WORKER)]
)
def test_a_process_that_lives_long_loads_only_what_it_uses(module: str, unwanted: str) -> None:
    assert not loaded(module) & {*NEVER.split(), *unwanted.split()}


def test_a_control_that_runs_no_servers_in_a_cluster_does_without_the_client_of_kubernetes() -> None:
    assert "kubernetes_asyncio" not in loaded("control.main")
