"""What is to be run for one installation: everything that a runtime needs, and nothing else.

Made of an entry, an installation and its opened secrets; a pure value, so that what a
runtime makes of it can be tested without a database. Two that are equal are run alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from control.registry.self_hosted import Resources, Transport
from core.egress.rules import EgressRules

BRIDGE_PORT = 8080
"""On which the bridge answers inside of its container, and by default a server of the image's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullSecret:
    """A credential of an image registry that a pod names: one that is in the cluster already, or one that we make."""

    name: str
    """Of the Kubernetes secret."""
    docker_config: str = field(default="", repr=False)
    """What ours holds, as `.dockerconfigjson`; '' for one that somebody else keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfinedServer:
    """What is needed to hold a server of one installation to what it may reach, also where it may not be run so."""

    installation_id: str
    entry: str
    """The entry's slug, for names and labels that people read."""
    team_id: str | None
    """Of an installation that belongs to a team."""
    namespace: str = ""
    """Of the cluster, in which it runs; '': the deployment's own."""
    egress: EgressRules = field(default_factory=EgressRules)
    """What it may reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedServer(ConfinedServer):
    """One server as it should run for one installation."""

    generation: int
    """Rises with each change of what is below; what runs says of which generation it is."""
    image: str
    """'' is the base image, whose program is the bridge."""
    base_image: str = ""
    """The base image that it runs until it is moved to a newer one; '' is the one of the settings."""
    command: tuple[str, ...]
    """Program and arguments, with the answers of the installation filled in; () is what the image starts."""
    transport: Transport
    port: int
    """Where a server over HTTP listens."""
    path: str
    """Where it answers MCP; over stdio, where the bridge does."""
    health_path: str
    """Where it says over HTTP that it is well; '': connecting to its port is all that can be asked."""
    environment: Mapping[str, str]
    secret_environment: Mapping[str, str] = field(repr=False)
    files: Mapping[str, str] = field(repr=False)
    """Content of files by their name, in `/run/secrets/mcp`; a name is one path segment."""
    bridge_token: str = field(repr=False)
    """What each call to it must carry, where the bridge stands before it; '' where it does not."""
    resources: Resources
    """With nothing left unsaid (`quantities.resources_of`)."""
    pull_secrets: tuple[PullSecret, ...]
    restarts_wanted: int = 0
    """How often somebody asked for a restart; another number than the one that runs is one more restart."""
    ends_at: float = 0.0
    """Until when it may run, in Unix seconds, since what it is started with ends then; 0: without end."""
    drain_s: float = 0.0
    """For so long it goes on beside the one that takes its place, until its calls have ended; 0: it is ended before
    that one starts, where the place can do so.
    """
    environment_id: str | None = None
    """Where its entry is put."""
    environment_name: str = ""
    """As people call it."""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    """Over the deployment's."""
    tolerations: Sequence[Mapping[str, Any]] = ()
    """In the place of the deployment's; (): those."""
    override: str = ""
    """YAML that is merged over its Deployment."""
    asleep: bool = False
    """Whether none of it runs until somebody calls: its objects are there, its pod is not."""


def of_a_process(wanted: WantedServer) -> WantedServer:
    """It without what only a cluster can do with it, and without its generation: two that are equal then are one
    process.
    """
    return replace(
        wanted, generation=0, environment_id=None, environment_name="", namespace="", egress=EgressRules(),
        node_selector={}, tolerations=(), override="",
    )  # fmt: skip
