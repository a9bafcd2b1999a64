"""`<state>/up.json`: where everything is, for other tools. Its shape is fixed; mode 0600, since it holds tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archway.private_files import read_json, write_json
from archway.supervisor.ports_file import recorded_workers
from archway.up.state import StateFolder
from core.children.child import Child


@dataclass(frozen=True, slots=True)
class UpFacts:
    """What stays the same while one `archway up` runs."""

    proxy_url: str
    control_url: str
    control_public_url: str
    metrics_url: str
    admin_token: str
    gateway_url: str | None
    gateway_token: str | None


class UpFile:
    """Keeps the file in step with the processes."""

    def __init__(self, state: StateFolder, facts: UpFacts, children: Mapping[str, Child]) -> None:
        self._state, self._facts, self._children = state, facts, children
        self._written: dict[str, Any] = {}

    def refresh(self) -> None:
        """Write it again where a process came or went. Raises OSError where the disk does not take it."""
        now = self._content()
        if now != self._written:
            write_json(self._state.up, now)
            self._written = now

    def _content(self) -> dict[str, Any]:
        facts = self._facts
        pids = {name: child.pid for name, child in self._children.items()}
        control = pids.get("control")
        return {
            "proxy_url": facts.proxy_url,
            "control_url": facts.control_url,
            "control_public_url": facts.control_public_url,
            "admin_token": facts.admin_token,
            "gateway_url": facts.gateway_url,
            "gateway_token": facts.gateway_token,
            "metrics_url": facts.metrics_url,
            "pids": {
                "proxy": [one.pid for one in recorded_workers(self._state.ports)],
                "control": [control] if control else [],
                "postgres": pids.get("postgres"),
                "redis": pids.get("redis"),
                "demo": pids.get("demo"),
            },
        }


def read_up(state: StateFolder) -> dict[str, Any]:
    """The file's content, empty where nothing runs."""
    return read_json(state.up)
