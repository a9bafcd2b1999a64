"""A gateway as the registry keeps it: a named endpoint, who sees it, and what its snapshot is made of.

Made by `control/store/` of rows, and by nobody else; compiled by `control/publish/`. A field of `GatewayFields` is a
column of the same name and a field of the admin API. Leaves out who may change one: that is `gateway_access.py`.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal

from control.registry.entry_tool import ToolKind, ToolState
from control.registry.owner import Scope
from control.registry.told import as_plain
from control.registry.visibility import VisibilityKind
from core.mcp.questions import Question
from core.resolve import Way
from core.snapshot import TokenIssuer, Visibility

ToolLoading = Literal["all", "search_and_run"]
MAX_ENVIRONMENTS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayFields:
    """The fields of a gateway that a person sets."""

    slug: str
    name: str
    description: str
    instructions: str
    """Told to clients, for their models to read."""
    labels: dict[str, str]
    visibility: VisibilityKind
    teams: tuple[str, ...]
    """Identifiers of the teams that see it."""
    owner_id: str | None
    """Whose personal gateway it is."""
    header_allowlist: tuple[str, ...]
    """Headers of callers that go on to servers."""
    audit_required: bool
    """Refuse calls of which no record can be kept."""
    identity_provider_id: str | None = None
    """Whose own tokens it takes, or assertions, or both; None: no provider's."""
    identity_provider_audience: str = ""
    """What those must be for: one of the audiences that the provider is allowed. Empty: it takes only assertions."""
    allowed_clients: tuple[str, ...] = ()
    """OAuth clients that it lets in, as their tokens name them; none: every client."""
    may_ask: tuple[Question, ...] = ("elicitation",)
    """What servers may ask of callers in the middle of a call."""
    tool_loading: ToolLoading = "all"
    """Whether every tool is in its list, or two tools that find and run them."""
    takes_assertions: bool = False
    """Whether clients get access tokens for it by an assertion of its identity provider (ID-JAG)."""
    environments: tuple[str, ...] = ()
    """Identifiers of the environments whose entries it may show; none: it may show any entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway(GatewayFields):
    """A gateway that exists, with its identifier, version and revision."""

    id: str
    revision: int
    """What proxies compare; it rises with everything that its snapshot shows."""
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignedRoute:
    """What a snapshot says of one assignment: the tool, and how it is reached."""

    id: str
    """Of the assignment."""
    exposed_name: str
    installation_id: str | None
    installation_scope: Scope | None
    kind: ToolKind
    upstream_name: str
    definition: dict[str, Any]
    state: ToolState
    entry_id: str
    entry_slug: str
    entry_kind: Literal["remote", "self_hosted"]
    passthrough: bool
    stdio: bool = False
    """A program over stdio stands behind."""
    tells_of_caller: bool = False
    """Its server is told who calls: what it gets is another for each caller."""
    for_one_caller: bool = False
    """Its server gets another credential for each caller."""
    list_revision: int = 0
    """Of an offer: as `core.snapshot.Offer.revision`."""


@dataclass(frozen=True, slots=True)
class GatewayContents:
    """All that the snapshot of one gateway is made of."""

    gateway: Gateway
    assigned: tuple[AssignedRoute, ...]
    issuer: str = ""
    """Of the provider whose tokens it takes; '' where it takes none, or that provider's settings do not allow it."""


def token_issuer_of(contents: GatewayContents) -> TokenIssuer | None:
    """Whose tokens the gateway takes, as proxies are told; None where it takes none."""
    gateway = contents.gateway
    if gateway.identity_provider_id is None or not contents.issuer or not gateway.identity_provider_audience:
        return None
    return TokenIssuer(gateway.identity_provider_id, contents.issuer, gateway.identity_provider_audience)


def told_of_gateway(gateway: Gateway) -> dict[str, Any]:
    """All that is kept of a gateway, in the words of the admin API."""
    return {one.name: as_plain(getattr(gateway, one.name)) for one in fields(gateway)}


def ways_in(gateway: GatewayFields) -> list[Way]:
    """The ways of authenticating that the gateway accepts."""
    ways: list[Way] = ["token", "oauth"]
    if gateway.identity_provider_id is not None and gateway.identity_provider_audience:
        ways.append("jwt")
    if gateway.identity_provider_id is not None and gateway.takes_assertions:
        ways.append("id_jag")
    return ways


def visibility_of(gateway: GatewayFields) -> Visibility:
    """Who sees a gateway, as proxies are told; teams and owner only where they count."""
    services = sorted(gateway.allowed_clients)
    if gateway.visibility == "teams":
        return Visibility("teams", teams=sorted(gateway.teams), services=services)
    if gateway.visibility == "personal":
        return Visibility("personal", owner=gateway.owner_id, services=services)
    return Visibility("organisation", services=services)
