"""A server that Archway runs itself: image, command, how it is spoken to, what it may use.

The second way in which an entry's server is reached, besides `Remote` (`entry.py`). Leaves out the rules:
`self_hosted_rules.py`.
"""

import shlex
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from control.registry.override_text import runs_before

Transport = Literal["stdio", "http"]


class Resources(msgspec.Struct, frozen=True):
    """What a server may use, as Kubernetes writes quantities; a process of this machine takes the memory limit.

    '' is what the environment of its entry says, and where that says nothing the usual one
    (`quantities.resources_of`).
    """

    cpu: str = ""
    """Set aside for it."""
    memory: str = ""
    """Set aside for it."""
    memory_limit: str = ""
    """Above which it is ended."""
    cpu_limit: str = ""
    """In the end '': what the machine has."""


USUAL: Final = Resources(cpu="10m", memory="128Mi", memory_limit="512Mi")
"""Of a server of which nobody says anything."""


class SelfHosted(msgspec.Struct, frozen=True, tag="self_hosted", tag_field="kind"):
    """A server that Archway runs itself, one for each installation."""

    transport: Transport = "stdio"
    image: str = ""
    """'': the base image, which has `npx` and `uvx`."""
    command: tuple[str, ...] = ()
    """Program and arguments; `${user_config.X}` stands for the answer to the field X, one whole argument each.
    (): what the image itself starts."""
    port: int = 8080
    """Where a server over HTTP listens."""
    path: str = "/mcp"
    """Where it answers MCP."""
    health_path: str = ""
    """Where a server over HTTP says that it is well; '': its port is asked."""
    environment: dict[str, str] = {}
    """The same for each installation, and shown to whoever sees the entry."""
    mounted: tuple[str, ...] = ()
    """Those of the entry's own secrets (`Entry.run_secret_names`) that are files and not variables."""
    resources: Resources = Resources()
    pull_secrets: tuple[str, ...] = ()
    """Identifiers of image pull secrets."""
    override: str = ""
    """YAML that is merged over what runs it in a cluster; '': nothing."""
    idle_minutes: int = 0
    """After so long without a call it is ended, until the next call; 0: never."""


def what_runs(run: SelfHosted, command: Sequence[str] | None = None) -> str:
    """Image and command as one text, which secrets are bound to, with what runs in the pod before them. `command`:
    with answers filled in; else as it is written. No URL: nothing is ever sent there.
    """
    told = f"run:{run.image or 'base'} {shlex.join(run.command if command is None else command)}".rstrip()
    before = runs_before(run.override) if run.override else ""
    return f"{told} (behind init containers {before})" if before else told
