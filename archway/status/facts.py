"""What is known about one state folder: its processes by their identities, its installations by the admin API."""

from dataclasses import asdict, dataclass, field
from typing import Any

from archway.admin_client import AdminApi, Problem, Unreachable
from archway.supervisor.ports_file import recorded_workers
from archway.up.state import StateFolder
from archway.up.up_file import read_up
from core.children.identity import lives
from core.children.orphans import recorded

PROGRAMS = ("postgres", "redis", "control", "proxy", "demo")


@dataclass(frozen=True, slots=True)
class ProcessFact:
    """One process that should run."""

    name: str
    pid: int
    alive: bool


@dataclass(frozen=True, slots=True)
class InstallationFact:
    """One installation; `runtime` says where its server runs: `remote`, `process` or `cluster`, or `none` where
    nothing here runs the servers that Archway is to run.
    """

    id: str
    name: str
    entry: str
    scope: str
    state: str
    reason: str
    runtime: str
    discovered_at: str = ""
    """When its server last answered a discovery; '' for never."""
    isolation: str = ""
    """How a server that Archway runs is kept from others; `none` where it is not."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that `archway status` shows."""

    state: str
    running: bool
    proxy_url: str | None
    control_url: str | None
    gateway_url: str | None
    metrics_url: str | None
    processes: list[ProcessFact] = field(default_factory=list)
    installations: list[InstallationFact] = field(default_factory=list)
    trouble: str | None = None
    """Why the installations are not known."""

    @property
    def healthy(self) -> bool:
        """Everything runs and answers."""
        return self.running and self.trouble is None and all(process.alive for process in self.processes)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


def gather(state: StateFolder) -> Facts:
    """Look; blocks for as long as the admin API takes to answer."""
    up = read_up(state)
    running = state.holder() is not None
    installations, trouble = _installations(up) if running and up else ([], None)
    return Facts(
        state=str(state.root),
        running=running,
        proxy_url=up.get("proxy_url"),
        control_url=up.get("control_url"),
        gateway_url=up.get("gateway_url"),
        metrics_url=up.get("metrics_url"),
        processes=_processes(state),
        installations=installations,
        trouble=trouble,
    )


def _processes(state: StateFolder) -> list[ProcessFact]:
    facts = []
    for name in PROGRAMS:
        who = recorded(state.record_of(name)).get("program")
        if who is not None:
            facts.append(ProcessFact(name, who.pid, lives(who)))
    supervisor = {fact.pid for fact in facts}
    workers = [who for who in recorded_workers(state.ports) if who.pid not in supervisor]
    return facts + [ProcessFact("proxy worker", who.pid, lives(who)) for who in workers]


def _installations(up: dict[str, Any]) -> tuple[list[InstallationFact], str | None]:
    api = AdminApi(str(up["control_url"]), str(up["admin_token"]))
    try:
        return installation_facts(api), None
    except (Problem, Unreachable) as why:
        return [], str(why)


def installation_facts(api: AdminApi) -> list[InstallationFact]:
    """Every installation that the asker may see; raises Problem or Unreachable."""
    entries = {str(one["id"]): one for one in api.pages("/entries")}
    return [_fact(one, entries) for one in api.pages("/installations")]


def _fact(one: dict[str, Any], entries: dict[str, dict[str, Any]]) -> InstallationFact:
    entry = entries.get(str(one.get("entry_id")), {})
    runs = one.get("runs") or {}
    is_held_up = runs.get("phase", "ready") != "ready"
    state, reason = str(one.get("state", "")), str(one.get("state_reason") or "")
    standing = one.get("standing") or {}
    if standing.get("word") == "shut_out":
        state, reason = "shut_out", str(standing.get("cause") or "")
    return InstallationFact(
        id=str(one["id"]),
        name=str(one.get("name", "")),
        entry=str(entry.get("slug", one.get("entry_id", ""))),
        scope=str(one.get("scope", "")),
        state=str(runs["phase"] if is_held_up else state),
        reason=str(runs.get("sentence", "") if is_held_up else reason),
        runtime=str(runs.get("place") or "none") if runs else "remote",
        isolation=str(runs.get("isolation") or ""),
        discovered_at=str(one.get("discovered_at") or ""),
    )
