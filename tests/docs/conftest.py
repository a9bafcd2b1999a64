"""One `archway up` for all pages that say "`make up` runs", and what is left of a page is taken away after it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest

from archway.admin_client import AdminApi
from tests.fixtures_idp import idp_issuer

__all__ = ["idp_issuer"]

WITHIN_S = 200.0
KEPT = {"admin@localhost", "demo@archway.invalid"}


class Deployment:
    """What `archway up` runs."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.file = orjson.loads((state / "up.json").read_bytes())

    @property
    def ports(self) -> dict[str, int]:
        """The ports of the pages, as they are here."""
        found = {"8400": "proxy_url", "8401": "control_url", "9400": "metrics_url"}
        return {port: urlsplit(self.file[name]).port or 0 for port, name in found.items()}

    def clear(self) -> None:
        """Without what a page made: the next one finds what `archway up` leaves."""
        api = AdminApi(self.file["control_url"], self.file["admin_token"])
        for gateway in list(api.pages("/gateways")):
            if gateway["slug"] != "demo":
                api.delete(f"/gateways/{gateway['id']}")
        for entry in list(api.pages("/entries")):
            if entry["slug"] != "time":
                api.delete(f"/entries/{entry['id']}", cascade="true")
        for client in list(api.pages("/oauth-clients")):
            api.delete(f"/oauth-clients/{client['id']}")
        for provider in list(api.pages("/identity-providers")):
            api.delete(f"/identity-providers/{provider['id']}")
        for team in list(api.pages("/teams")):
            api.delete(f"/teams/{team['id']}")
        for user in list(api.pages("/users")):
            if user["role"] == "admin":
                api.post(f"/users/{user['id']}/revoke-tokens")
            if user["email"] not in KEPT:
                api.delete(f"/users/{user['id']}")


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    state = tmp_path_factory.mktemp("up") / "state"
    own = {name: value for name, value in os.environ.items() if not name.startswith("ARCHWAY_")}
    archway = [sys.executable, "-m", "archway"]
    start = [
        *archway,
        "up",
        "--detach",
        "--no-servers",
        "--state",
        str(state),
        "--proxy-port",
        "0",
        "--control-port",
        "0",
    ]
    done = subprocess.run(start, capture_output=True, text=True, timeout=WITHIN_S, check=False, env=own)
    assert done.returncode == 0, done.stdout + done.stderr
    yield Deployment(state)
    subprocess.run([*archway, "down", "--state", str(state)], timeout=WITHIN_S, check=True, env=own)
