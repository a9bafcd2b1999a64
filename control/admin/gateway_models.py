"""Bodies of the admin API for gateways and the tools that are assigned to them."""

from typing import Annotated, Any

from pydantic import Field as Bound

from control.admin.entry_models import Slug, Teams, Text
from control.admin.labels import Labels
from control.http.models import BothSpellings, Change, Description, Id, Item, Model, Moment, Name, Worded
from control.http.paging import NamedPageQuery
from control.registry.entry_tool import ToolKind, ToolState
from control.registry.exposed_names import MAX_EXPOSED
from control.registry.gateway import MAX_ENVIRONMENTS, ToolLoading
from control.registry.headers import MAX_ALLOWLIST
from control.registry.installation import LONGEST_ADDRESS
from control.registry.oauth_client import LONGEST_ID, MAX_CLIENTS
from control.registry.owner import Scope
from control.registry.tool_definitions import MAX_TOOLS
from control.registry.visibility import VisibilityKind
from core.mcp.questions import QUESTIONS, Question

HeaderNames = Annotated[list[Annotated[str, Bound(min_length=1, max_length=64)]], Bound(max_length=MAX_ALLOWLIST)]
ClientIds = Annotated[
    list[
        Annotated[
            str, Worded(r"[!-~]+", "must be a client_id: printable characters without spaces", longest=LONGEST_ID)
        ]
    ],
    Bound(max_length=MAX_CLIENTS),
]
Questions = Annotated[list[Question], Bound(max_length=len(QUESTIONS))]
InstallationName = Annotated[str, Bound(min_length=1, max_length=LONGEST_ADDRESS)]
Audience = Annotated[
    str, Worded(r"[!-~]*", "must be printable characters without spaces, as tokens have it in `aud`", longest=512)
]
ExposedName = Annotated[str, Bound(min_length=1, max_length=MAX_EXPOSED)]


class GatewayFields(Model):
    """Fields of a gateway that are set. `GatewayFields` of `control/registry/gateway.py` has their names."""

    slug: Slug = Bound(description="Its name in the URL.")
    name: Name
    description: Description = ""
    instructions: Description = Bound("", description="Told to clients, for their models to read.")
    labels: Labels = Bound(default_factory=dict)
    visibility: Annotated[VisibilityKind, BothSpellings()] = "organisation"
    teams: Teams = Bound(default_factory=list)
    owner_id: Id | None = Bound(None, description="The owner, with the visibility `personal`; by default the caller.")
    header_allowlist: HeaderNames = Bound(
        default_factory=list, description="Headers of callers that go on to HTTP servers; stored in lower case."
    )
    audit_required: bool = Bound(False, description="Refuse calls of which no record can be kept.")
    identity_provider_id: Id | None = Bound(
        None, description="The identity provider whose own tokens it takes; null: no provider's."
    )
    identity_provider_audience: Audience = Bound(
        "", description="What those tokens must be for: one of the provider's `audiences`, by default the only one."
    )
    takes_assertions: bool = Bound(
        False,
        description="Whether clients get access tokens for it by an assertion of that identity provider (ID-JAG), so "
        "that nobody signs in here.",
    )
    allowed_clients: ClientIds = Bound(
        default_factory=list,
        description="OAuth clients that it lets in, by their `client_id`; none: every client.",
    )
    may_ask: Questions = Bound(
        ["elicitation"],
        description="What servers may ask of callers in the middle of a call: to fill in a form or open a link "
        "(`elicitation`), to ask their model (`sampling`), for their folders (`roots`).",
    )
    tool_loading: ToolLoading = Bound(
        "all",
        description="`all`: every tool is in the list. `search_and_run`: `search_tools` and `run_tool` are, and find "
        "and run the others, which keeps the list short.",
    )
    environments: Annotated[list[Id], Bound(max_length=MAX_ENVIRONMENTS)] = Bound(
        default_factory=list,
        description="Environments whose entries it may show; none: it may show any entry.",
    )


class GatewayCreate(GatewayFields):
    """A new gateway, which shows no tools yet."""


class GatewayPatch(GatewayFields, Change):
    """A change of a gateway: fields that are named change; lists and maps are replaced whole."""

    owner_id: Id | None = Bound(None, description="Null only where the visibility is not `personal`.")


class GatewayQuery(NamedPageQuery):
    """Filters of the list of gateways."""

    label: Text = Bound("", description="`name=value`: gateways with this label.")


class Connect(Model):
    """What a person gives to an MCP client."""

    url: str
    transport: str
    authorization: str
    client_config: dict[str, Any] = Bound(description="For clients that read `mcpServers` from a file.")


class GatewayView(GatewayFields, Item):
    """A gateway as it is shown: with how clients connect, and whether it can be used."""

    owner_id: Id | None = Bound(description="With the visibility `personal`.")
    client_auth: list[str]
    revision: int
    created_at: Moment
    updated_at: Moment
    version: int
    usable: bool
    reasons: list[str] = Bound(description="Why nobody can use it as it stands.")
    warnings: list[str] = Bound(
        description="Tools that cannot be called just now, and those that changed unseen; ways in that are shut; to "
        "its admins, whose credential others call with."
    )
    notes: list[str] = Bound(description="Why you, who see the gateway here, cannot call it.")
    connect: Connect


class AssignmentCreate(Model):
    """Tools of one entry that the gateway is to show."""

    entry: Annotated[str, Bound(min_length=1, max_length=63)] = Bound(description="The entry's id or slug.")
    tools: Annotated[
        list[Annotated[str, Bound(min_length=1, max_length=1_024)]], Bound(min_length=1, max_length=MAX_TOOLS)
    ]
    installation: InstallationName | None = Bound(
        None,
        description="The installation to which it is pinned, by its id, name or `address` (`crm@Support`); null: "
        "resolved from the caller at each call.",
    )
    prefix: bool = Bound(True, description="Whether exposed names begin with the entry's slug.")
    exposed_name: ExposedName | None = Bound(
        None, description="A name in place of the default, for exactly one tool."
    )


class AssignmentPatch(Change):
    """A change of an assignment: fields that are named change; `installation` null: resolved at call time."""

    exposed_name: ExposedName
    installation: InstallationName | None


class AssignmentView(Item):
    """An assignment as it is shown: the tool, its exposed name, and its pin."""

    gateway_id: Id
    exposed_name: str
    tool_id: Id
    tool_name: str
    tool_kind: ToolKind
    tool_state: ToolState
    missing_since: Moment | None
    entry_id: Id
    entry_slug: str
    installation_id: Id | None
    installation_name: str | None
    installation_scope: Scope | None
    created_at: Moment
    version: int


class ChangedAssignment(AssignmentView):
    """An assignment after a change, with what its admin should know of it."""

    warnings: list[str] = Bound(description="Whose credential others will call with.")


class Assigned(Model):
    """What a gateway shows of the asked tools now: the new ones, and those that were there before."""

    items: list[AssignmentView]
    created: int
    warnings: list[str] = Bound(description="Whose credential others will call with.")
