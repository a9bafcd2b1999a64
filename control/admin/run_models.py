"""Bodies of the admin API for what Archway runs itself. `SelfHosted` of `control/registry/self_hosted.py` has the
names; the rules are in `control/registry/self_hosted_rules.py`.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field as Bound

from control.http.models import Id, Model
from control.registry.arguments import MAX_ARGUMENT
from control.registry.idleness import MOST_MINUTES
from control.registry.images import MAX_IMAGE
from control.registry.override_text import MOST_CHARACTERS
from control.registry.run_names import MAX_CONTENT, MAX_NAME
from control.registry.self_hosted import USUAL, SelfHosted, Transport
from control.registry.self_hosted_rules import MAX_ARGUMENTS, MAX_PULL_SECRETS, MAX_SECRETS, MAX_VARIABLES

_RUN = SelfHosted()
"""What it is by itself."""
Quantity = Annotated[str, Bound(max_length=16)]
Override = Annotated[str, Bound(max_length=MOST_CHARACTERS)]
_Name = Annotated[str, Bound(min_length=1, max_length=MAX_NAME)]


class ResourcesBody(Model):
    """What a server may use, as Kubernetes writes quantities. What an entry leaves empty is said by its environment,
    else it is what is usual.
    """

    cpu: Quantity = Bound("", description=f"Set aside for it; usually {USUAL.cpu}.")
    memory: Quantity = Bound("", description=f"Set aside for it; usually {USUAL.memory}.")
    memory_limit: Quantity = Bound("", description=f"Above which it is ended; usually {USUAL.memory_limit}.")
    cpu_limit: Quantity = Bound("", description="At most; usually what the machine has.")


class RunBody(Model):
    """What Archway runs for each installation. In a change, what is not named stays."""

    transport: Transport = Bound(
        "stdio", description="`stdio`: a program that our bridge starts; `http`: it speaks Streamable HTTP itself."
    )
    image: Annotated[str, Bound(max_length=MAX_IMAGE)] = Bound(
        "", description="Empty: the base image, which has `npx` and `uvx`."
    )
    command: Annotated[list[Annotated[str, Bound(max_length=MAX_ARGUMENT)]], Bound(max_length=MAX_ARGUMENTS)] = Bound(
        default_factory=list,
        description="Program and arguments, for no shell. `${user_config.NAME}` as a whole argument stands for the "
        "answer to the field of that name. Empty: what the image starts.",
    )
    port: int = Bound(_RUN.port, ge=1, le=65_535, description="With `http`: where it listens.")
    path: Annotated[str, Bound(max_length=255)] = Bound(_RUN.path, description="With `http`: where it answers MCP.")
    health_path: Annotated[str, Bound(max_length=255)] = Bound(
        "", description="With `http`: where it says that it is well; empty: its port is asked."
    )
    environment: Annotated[
        dict[_Name, Annotated[str, Bound(max_length=MAX_CONTENT)]], Bound(max_length=MAX_VARIABLES)
    ] = Bound(default_factory=dict, description="The same for each installation, and shown; secrets: `run_secrets`.")
    mounted: Annotated[list[_Name], Bound(max_length=MAX_SECRETS)] = Bound(
        default_factory=list,
        description="Names of `run_secrets` that are files in `/run/secrets/mcp`, not variables.",
    )
    resources: ResourcesBody = Bound(default_factory=ResourcesBody.model_construct)
    pull_secrets: Annotated[list[Id], Bound(max_length=MAX_PULL_SECRETS)] = Bound(
        default_factory=list, description="Image pull secrets, by their identifiers: see `/pull-secrets`."
    )
    idle_minutes: int = Bound(
        0, ge=0, le=MOST_MINUTES, description="After so long without a call it is ended, until the next; 0: never."
    )
    override: Override = Bound(
        "",
        description="YAML that is merged over the Deployment that runs it in a cluster, as far as it is let: see "
        "`/entries/{entry_id}/override/preview`. Kept as it is written. Empty: nothing.",
    )


def run_shown(run: Mapping[str, Any] | None) -> RunBody | None:
    """What an entry keeps of it as a body, not judged again; None for a server that runs elsewhere."""
    if run is None:
        return None
    return RunBody.model_construct(**{**run, "resources": ResourcesBody.model_construct(**run["resources"])})
