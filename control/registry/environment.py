"""An environment: a place that entries are put into, perhaps restricted to those who hold a permission.

Made by `control/store/environments.py` of a row, and by nobody else. Who may put an entry there is decided in
`control/changes/environments.py`, and looked at again before its servers run by `control/servers/wanting.py`.
"""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

import msgspec

from control.registry.egress import Egress
from control.registry.self_hosted import Resources
from control.registry.told import as_plain


class Quota(msgspec.Struct, frozen=True):
    """The most that the servers of one team may be in one environment; '' and 0: without limit."""

    servers: int = 0
    """Installations whose server runs there."""
    cpu: str = ""
    """Of what their entries set aside, in all; as Kubernetes writes quantities."""
    memory: str = ""
    """Of their memory limits, in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEnvironment:
    """What an environment is made of, and what may be changed of it."""

    name: str
    restricted: bool = False
    """Whether only who holds `environment:deploy-to-restricted` puts entries into it, and takes them out."""
    namespace: str = ""
    """Of the cluster, in which its servers run, and where control has its rights; '': the deployment's own."""
    egress: Egress | None = None
    """What its servers may reach; None: no policy, everything."""
    presets: tuple[str, ...] = ()
    """Identifiers of presets, whose destinations are allowed too."""
    node_selector: dict[str, str] = field(default_factory=dict)
    """Over the deployment's; {}: that one."""
    tolerations: tuple[dict[str, Any], ...] = ()
    """In the place of the deployment's; (): those."""
    resources: Resources | None = None
    """Of entries that say nothing of theirs; None: the built-in ones."""
    image_registries: tuple[str, ...] = ()
    """Hosts, perhaps with a path, that images must come from; (): any."""
    quota: Quota = field(default_factory=Quota)
    """Of each team."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment(NewEnvironment):
    """An environment that is kept, with its identifier and version."""

    id: str
    created_at: datetime
    updated_at: datetime
    version: int


def told_of_environment(environment: Environment) -> dict[str, Any]:
    """All that people are told of an environment, in the words of the admin API."""
    return {one.name: as_plain(getattr(environment, one.name)) for one in fields(environment)}
