"""Two servers that the control of `archway up` runs as processes, beside the demo: so that newcomers see both kinds.

One is from PyPI and comes with the demo's packages, so it needs no network; the other is fetched from npm when it
starts, where there is Node. Both are installed after everything runs, by the admin API, while people work already;
each is put on the demo gateway when its tools were found. What people change or delete meanwhile or later stays so.
"""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archway.admin_client import AdminApi, Problem, Unreachable, get_or_none
from archway.private_files import read_json, write_json
from archway.up.first_setup import GATEWAY

FROM_PYPI, FROM_NPM = "mcp-server-time", "@modelcontextprotocol/server-everything@2026.8.31"
_LOOK_S = 1.0
_AGAIN_S = 15.0
_LOOKS = 600


@dataclass(frozen=True, slots=True)
class FirstServer:
    """One server that is installed once."""

    slug: str
    name: str
    description: str
    command: tuple[str, ...]

    @property
    def entry(self) -> dict[str, Any]:
        """As the admin API takes it."""
        return {
            "slug": self.slug,
            "name": self.name,
            "description": self.description,
            "kind": "self_hosted",
            "run": {"transport": "stdio", "command": list(self.command)},
            "credential_model": "none",
        }


def first_servers(path: str | None = None) -> tuple[FirstServer, ...]:
    """Those that can run here: of npm's only where its program is on the PATH."""
    here = FirstServer(
        "local-time",
        "Time, run here",
        "The same server as the demo, from PyPI: Archway runs it on this machine, behind its bridge.",
        (FROM_PYPI, "--local-timezone", "UTC"),
    )
    npm = FirstServer(
        "everything",
        "Everything, run here",
        "A server from npm that shows all of MCP: Archway runs it on this machine; it is fetched when it starts.",
        ("npx", "-y", FROM_NPM),
    )
    return (here, npm) if shutil.which("npx", path=path) else (here,)


class FirstServers:
    """Installs them, and puts them on the demo gateway; `kept` is the file that remembers what was done."""

    def __init__(self, api: AdminApi, kept: Path, note: Callable[[str], None]) -> None:
        self._api, self._kept, self._note = api, kept, note

    async def run(self, servers: tuple[FirstServer, ...]) -> None:
        """Until each is on the gateway, or there is no more to do here; the next start goes on."""
        async with asyncio.TaskGroup() as group:
            for server in servers:
                group.create_task(self._one(server))

    async def _one(self, server: FirstServer) -> None:
        for look in range(_LOOKS):
            try:
                if await asyncio.to_thread(self._step, server):
                    return
            except (Problem, Unreachable, OSError) as why:
                if look == 0:
                    self._note(f"{server.name} could not be installed yet: {why}")
            await asyncio.sleep(_LOOK_S if look < _LOOKS // 10 else _AGAIN_S)

    def _step(self, server: FirstServer) -> bool:
        """Do the next thing; whether nothing is left to do. Blocks."""
        known = read_json(self._kept).get(server.slug)
        if known is None:
            return self._made(server)
        if known.get("done"):
            return True
        installation = get_or_none(self._api, f"/installations/{known['installation']}")
        gateway = next((one for one in self._api.pages("/gateways") if one["slug"] == GATEWAY), None)
        if installation is None or gateway is None:  # somebody does not want it
            return self._remember(server, known | {"done": True})
        if installation.get("state") != "ready":
            return False
        path = f"/gateways/{gateway['id']}/assignments"
        _ = self._api.post(path, {"entry": known["entry"], "installation": known["installation"], "tools": ["*"]})
        self._note(f"{server.name} runs; its tools are on the gateway {GATEWAY}.")
        return self._remember(server, known | {"done": True})

    def _made(self, server: FirstServer) -> bool:
        entry = next((one for one in self._api.pages("/entries") if one["slug"] == server.slug), None)
        entry = entry or self._api.post("/entries", server.entry)
        here = (one for one in self._api.pages("/installations") if one["entry_id"] == entry["id"])
        wanted = {"entry_id": entry["id"], "name": server.name, "scope": "organisation"}
        installation = next(here, None) or self._api.post("/installations", wanted)
        return self._remember(server, {"entry": entry["id"], "installation": installation["id"]})

    def _remember(self, server: FirstServer, known: dict[str, Any]) -> bool:
        write_json(self._kept, read_json(self._kept) | {server.slug: known})
        return bool(known.get("done"))
