"""What a load test needs in a deployment, made before it and removed after it through the admin API.

An entry for a stub server, the organisation's installation of it, a gateway, and callers with a token each. Names
carry the run's own word, so that runs do not meet; tokens end by themselves, in case the removal could not happen.
"""

import json
import logging
import os
import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from archway.admin_client import AdminApi, Problem, Unreachable
from bench.processes import server

log = logging.getLogger(__name__)
TOKENS_LIVE = timedelta(hours=24)
TOOLS = 5


class CannotLoad(Exception):
    """The deployment, or what this needs to know of it, is not there. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the deployment under load is, and how its admin API is reached."""

    api: AdminApi
    proxy_url: str
    """Where `archway up` runs its proxy; empty: `--host` says it."""
    metrics_url: str = ""
    pids: Mapping[str, Any] = field(default_factory=dict)
    """Of `archway up` on this machine; empty elsewhere."""


def place(environment: Mapping[str, str] = os.environ) -> Place:
    """From ARCHWAY_STATE (the folder of an `archway up` on this machine), or ARCHWAY_ADMIN_URL and _TOKEN."""
    if folder := environment.get("ARCHWAY_STATE"):
        try:
            up = json.loads((Path(folder) / "up.json").read_text())
        except (OSError, ValueError) as why:
            raise CannotLoad(f"ARCHWAY_STATE: nothing runs in {folder} ({why}); start `archway up` there") from None
        api = AdminApi(up["control_url"], up["admin_token"])
        return Place(api, up["proxy_url"], up["metrics_url"] or "", up["pids"])
    url, token = environment.get("ARCHWAY_ADMIN_URL", ""), environment.get("ARCHWAY_ADMIN_TOKEN", "")
    if not url.startswith(("http://", "https://")) or not token:
        raise CannotLoad(
            "set ARCHWAY_ADMIN_URL and ARCHWAY_ADMIN_TOKEN (an admin's API token), or ARCHWAY_STATE to the folder of "
            "an `archway up` on this machine"
        )
    return Place(AdminApi(url, token), "", environment.get("ARCHWAY_METRICS_URL", ""))


class LoadSetup:
    """What one run of a load test makes in the deployment, and removes at its end."""

    def __init__(self, api: AdminApi, callers: int, stub_url: str = "") -> None:
        self._api, self._callers, self._stub_url = api, callers, stub_url
        self._word = f"load-{secrets.token_hex(4)}"
        self._ending = ExitStack()
        self.tokens: list[str] = []

    @property
    def path(self) -> str:
        """The path of the run's gateway."""
        return f"/v1/mcp/{self._word}"

    @property
    def tool(self) -> str:
        """The tool that says back its text."""
        return f"{self._word}__echo"

    def make(self) -> None:
        """All of it; raises CannotLoad, with nothing left behind."""
        try:
            self._make()
        except (Problem, Unreachable, CannotLoad) as why:
            self.remove()
            raise CannotLoad(f"the load test could not be set up: {why}") from None

    def remove(self) -> None:
        """All that was made, last first; what cannot be removed is named in the log."""
        self._ending.close()

    def _make(self) -> None:
        url = self._stub_url or self._own_stub()
        entry = self._made("/entries", {"slug": self._word, "name": self._word, "url": url})
        installation = self._made(
            "/installations", {"entry_id": entry["id"], "scope": "organisation"}, cascade="true"
        )
        if installation["state"] != "ready":
            raise CannotLoad(f"the proxy cannot reach the stub server at {url}: {installation['state_reason']}")
        gateway = self._made("/gateways", {"slug": self._word, "name": self._word})
        assigned = {"entry": entry["id"], "installation": installation["id"], "tools": ["*"]}
        self._api.post(f"/gateways/{gateway['id']}/assignments", assigned)
        until = (datetime.now(UTC) + TOKENS_LIVE).isoformat()
        for number in range(self._callers):
            body = {"name": f"Load {number}", "email": f"{self._word}-{number}@load.invalid", "role": "member"}
            person = self._made("/users", body)
            wanted = {"name": self._word, "kind": "user", "user_id": person["id"], "expires_at": until}
            self.tokens.append(str(self._api.post("/tokens", wanted)["secret"]))

    def _own_stub(self) -> str:
        """A stub server beside this process, which only a proxy on this machine can reach."""
        _, port = self._ending.enter_context(server("bench.stub_upstream", "0"))
        return f"http://127.0.0.1:{port}/mcp/{TOOLS}"

    def _made(self, path: str, body: Mapping[str, object], **removal: str) -> dict[str, Any]:
        made = self._api.post(path, body)
        self._ending.callback(self._removed, f"{path}/{made['id']}", removal)
        return made

    def _removed(self, path: str, query: dict[str, str]) -> None:
        try:
            self._api.delete(path, **query)
        except (Problem, Unreachable) as why:
            log.error("%s was not removed; remove it by hand: %s", path, why)
