"""What is known of a deployment from outside: its listeners, its version, and what it holds.

For operators of real deployments, who have an address and a token, and no state folder. Called by `command.py`.
Leaves out processes: whoever runs them knows.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from archway.admin_client import AdminApi, Problem, Unreachable
from archway.status.facts import InstallationFact, installation_facts
from archway.status.ready import why_not_ready
from core.our_version import VERSION


@dataclass(frozen=True, slots=True)
class ListenerFact:
    """One listener that was asked whether it is ready."""

    name: str
    url: str
    trouble: str
    """Why it is not ready; '' where it is."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Everything that `archway status` shows of a deployment elsewhere."""

    listeners: list[ListenerFact]
    version: str | None
    """Of its control plane; None where that did not say."""
    command_line: str = VERSION
    counts: dict[str, int] = field(default_factory=dict)
    installations: list[InstallationFact] = field(default_factory=list)
    trouble: str | None = None
    """Why the admin API told nothing."""

    @property
    def healthy(self) -> bool:
        """Every listener is ready, and the admin API answers."""
        return self.trouble is None and not any(one.trouble for one in self.listeners)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


def look(api: AdminApi) -> Deployment:
    """Ask the listeners and the admin API; blocks for as long as they take."""
    admin = ListenerFact("admin API", api.url, why_not_ready(api.url))
    try:
        told = api.get("/deployment")
        installations = installation_facts(api)
    except (Problem, Unreachable) as why:
        return Deployment([admin], None, trouble=str(why))
    url = str(told["public_url"])
    return Deployment(
        listeners=[admin, ListenerFact("gateways", url, why_not_ready(url))],
        version=str(told["version"]),
        counts=dict(told["counts"]),
        installations=installations,
    )
