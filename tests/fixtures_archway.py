"""The whole product as a person starts it: `archway up`, then its admin API.

    def test_something(archway):                      # one deployment for the session, without the demo
        gateway = archway.gateway({"time": time_server})

Import the fixture in the folder's conftest. Everything it started ends with the session.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archway.admin_client import AdminApi

_COMMAND = str(Path(sys.executable).with_name("archway"))
_UP_S, _DOWN_S = 120, 60


@dataclass(frozen=True)
class RunningArchway:
    """A deployment that runs; `up` is what `up.json` says, which lies in the folder `state`."""

    up: dict[str, Any]
    api: AdminApi
    state: Path

    def entry(
        self, slug: str, url: str, protocol: str = "auto", **fields: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """An entry for a server and the organisation's installation of it, discovered."""
        entry = self.api.post("/entries", {"slug": slug, "name": slug, "url": url} | fields)
        body = {"entry_id": entry["id"], "scope": "organisation", "protocol": protocol}
        installation = self.api.post("/installations", body)
        assert installation["state"] == "ready", installation
        return entry, installation

    def gateway(
        self,
        slug: str,
        *installed: tuple[dict[str, Any], dict[str, Any]],
        prefix: bool = True,
        tools: Sequence[str] = ("*",),
        **fields: Any,
    ) -> str:
        """A gateway with these tools of the installations, by default all; its URL."""
        gateway = self.api.post("/gateways", {"slug": slug, "name": slug} | fields)
        for entry, installation in installed:
            body = {"entry": entry["id"], "installation": installation["id"], "tools": tools, "prefix": prefix}
            self.api.post(f"/gateways/{gateway['id']}/assignments", body)
        return f"{self.up['proxy_url']}/v1/mcp/{slug}"

    def token(self) -> str:
        """A token of the first admin."""
        me = self.api.get("/me")["user"]
        made = self.api.post("/tokens", {"name": "test", "kind": "user", "user_id": me["id"]})
        return str(made["secret"])


@contextmanager
def archway_up(state: Path, **settings: str) -> Iterator[RunningArchway]:
    """Start everything with its state in this folder; at the end, end it. `settings` are ARCHWAY_* variables."""
    where = ["--state", str(state)]
    options = ["--proxy-port", "0", "--control-port", "0", "--no-demo", "--detach"]
    started = subprocess.run(
        [_COMMAND, "up", *where, *options],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=_UP_S,
        check=False,
    )
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        up = json.loads((state / "up.json").read_text())
        yield RunningArchway(up, AdminApi(up["control_url"], up["admin_token"]), state)
    finally:
        subprocess.run([_COMMAND, "down", *where], capture_output=True, timeout=_DOWN_S, check=False)


@pytest.fixture(scope="session")
def archway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningArchway]:
    """One deployment for the session."""
    with archway_up(tmp_path_factory.mktemp("archway") / "state") as running:
        yield running
