"""Bodies of the admin API for environments."""

from typing import Annotated, Any

from pydantic import Field as Bound
from pydantic import StrictInt

from control.admin.enforcement_models import EnforcementView
from control.admin.run_models import Quantity, ResourcesBody
from control.http.models import Change, Id, Item, Model, Moment, Name
from control.http.paging import NamedPageQuery
from control.registry.environment_rules import (
    MAX_NAMESPACE,
    MAX_PRESETS,
    MAX_REGISTRIES,
    MAX_SELECTOR,
    MAX_SERVERS,
    MAX_TOLERATIONS,
)
from control.registry.image_sources import MAX_SOURCE
from core.egress.rules import EgressMode

_Text = Annotated[str, Bound(max_length=317)]
"""A label's key, of a prefix of 253 characters and a name of 63, is the longest."""
_Texts = Annotated[list[Annotated[str, Bound(min_length=1, max_length=260)]], Bound(max_length=256)]
Cidrs = Annotated[_Texts, Bound(description="Networks, such as 203.0.113.0/24.")]
Domains = Annotated[
    _Texts,
    Bound(
        description="Host names: `api.example.com`; `*.example.com`, one label before it; `**.example.com`, any "
        "number of them. Neither of the two is `example.com` itself."
    ),
]
Ports = Annotated[_Texts, Bound(description="TCP ports of these: `443`, or a range `5432-5440`.")]


class EgressBody(Model):
    """What servers may reach. In a change, what is not named stays."""

    mode: EgressMode = Bound(
        "all",
        description="`off`: nothing but the cluster's DNS. `all`: everything but link-local addresses, where clouds "
        "keep metadata. `restricted`: the networks and domains that are named here and in `presets`.",
    )
    cidrs: Cidrs = Bound(default_factory=list)
    domains: Domains = Bound(default_factory=list)
    ports: Ports = Bound(["443"])


class QuotaBody(Model):
    """The most that the servers of one team may be. In a change, what is not named stays."""

    servers: int = Bound(0, ge=0, le=MAX_SERVERS, description="Installations whose server runs here; 0: any number.")
    cpu: Quantity = Bound("", description="Of what is set aside for them, in all; empty: without limit.")
    memory: Quantity = Bound("", description="Of their memory limits, in all; empty: without limit.")


class EnvironmentFields(Model):
    """Fields of an environment that are set and shown."""

    name: Name
    restricted: bool = Bound(
        False, description="Whether only who holds `environment:deploy-to-restricted` puts entries into it."
    )
    namespace: Annotated[str, Bound(max_length=MAX_NAMESPACE)] = Bound(
        "", description="Of the cluster, in which its servers run; empty: the deployment's own."
    )
    egress: EgressBody | None = Bound(None, description="What its servers may reach; null: everything, as `all`.")
    presets: Annotated[list[Id], Bound(max_length=MAX_PRESETS)] = Bound(
        default_factory=list,
        description="Egress presets, by their identifiers: with the mode `restricted`, theirs is allowed too.",
    )
    node_selector: Annotated[dict[_Text, Annotated[str, Bound(max_length=63)]], Bound(max_length=MAX_SELECTOR)] = (
        Bound(default_factory=dict, description="Labels of the nodes that its servers run on, over the deployment's.")
    )
    tolerations: Annotated[list[dict[_Text, _Text | StrictInt]], Bound(max_length=MAX_TOLERATIONS)] = Bound(
        default_factory=list,
        description="Taints that its servers tolerate, each as Kubernetes writes it (`key`, `operator`, `value`, "
        "`effect`, `tolerationSeconds`), in the place of the deployment's; none: those.",
    )
    resources: ResourcesBody | None = Bound(
        None,
        description="What servers may use whose entry does not say it; null: what is usual. In a change, what "
        "is not named stays.",
    )
    image_registries: Annotated[
        list[Annotated[str, Bound(min_length=1, max_length=MAX_SOURCE)]], Bound(max_length=MAX_REGISTRIES)
    ] = Bound(
        default_factory=list,
        description="Where images must come from: `HOST[:PORT]`, perhaps with the beginning of a path; none: from "
        "anywhere. The base image is always allowed.",
    )
    quota: QuotaBody = Bound(default_factory=QuotaBody.model_construct, description="Of each team.")


class NewEnvironment(EnvironmentFields):
    """A new environment, which nothing is in yet."""


class EnvironmentChange(EnvironmentFields, Change):
    """What changes of an environment: the fields that are named; lists and maps are replaced whole."""

    def changes(self) -> dict[str, Any]:
        """What is named, of each object too."""
        parts = {name: getattr(self, name) for name in ("egress", "resources", "quota") if getattr(self, name)}
        named = {name: part.model_dump(exclude_unset=True) for name, part in parts.items()}
        given = super().changes()
        return given | {name: part for name, part in named.items() if name in given}


class EnvironmentView(EnvironmentFields, Item):
    """An environment as it is shown."""

    shut_out: list[str] = Bound(
        description="Entries in it whose servers run elsewhere, at a host that its policy does not allow: their "
        "calls are refused."
    )
    enforcement: list[EnforcementView] = Bound(
        description="Whether what its servers may not reach is shut, for each kind of its rules. None without a "
        "policy, or where nothing here runs servers."
    )
    created_at: Moment
    updated_at: Moment
    version: int


class TeamUsage(Model):
    """What the servers of one team are in an environment, as its quota counts them."""

    team_id: Id | None = Bound(description="Null: what belongs to no team, all of it.")
    team: str | None
    servers: int
    cpu: str = Bound(description="Set aside for them.")
    memory: str = Bound(description="Of their memory limits.")


class EnvironmentUsage(Model):
    """Whose servers there are in an environment, and what each team may have."""

    quota: QuotaBody
    items: list[TeamUsage] = Bound(description="Teams that the caller may see, and what belongs to none.")


class EnvironmentQuery(NamedPageQuery):
    """Filters of the list of environments."""

    name: Annotated[str | None, Bound(max_length=128)] = None
