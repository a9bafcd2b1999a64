"""Bodies of the admin API for registry entries and their tools. Rules between fields are in `control/registry/`."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, StrictBool, StrictFloat, StrictInt, StrictStr
from pydantic import Field as Bound
from pydantic_core import PydanticCustomError

from control.admin.credential_models import CallerStatementBody, CredentialModel, CredentialSettings
from control.admin.labels import Labels
from control.admin.run_models import RunBody
from control.http.models import (
    MARKS,
    BothSpellings,
    Change,
    Description,
    Id,
    Item,
    Model,
    Moment,
    Name,
    Query,
    Worded,
)
from control.http.paging import NamedPageQuery
from control.registry.commands import SENTENCE, is_command_object
from control.registry.entry import EntryVisibility, Isolation
from control.registry.entry_tool import ToolKind, ToolState
from control.registry.fields import MAX_FIELDS, MAX_OPTIONS, MAX_TITLE, FieldType
from control.registry.headers import MAX_FIXED_HEADERS, MAX_VALUE
from control.registry.run_names import MAX_CONTENT
from control.registry.run_names import MAX_NAME as MAX_RUN_NAME
from control.registry.self_hosted_rules import MAX_SECRETS
from control.registry.visibility import MAX_TEAMS
from core.egress.addresses import MAX_URL_CHARS
from core.identifiers import SLUG

Slug = Annotated[
    str,
    Worded(
        SLUG.pattern,
        "must be 1 to 63 of a-z, 0-9 and '-', with a letter or digit at both ends",
        shortest=1,
        longest=63,
    ),
]
Text = Annotated[str, Worded(rf"[^{MARKS}]*", "must be one line without control characters", longest=MAX_TITLE)]


def _no_command(value: object) -> object:
    """Clients are configured with JSON for a command; whoever gives that is told what to do with it."""
    if is_command_object(value):
        raise PydanticCustomError("worded", "{sentence}", {"sentence": SENTENCE})
    return value


Url = Annotated[str, BeforeValidator(_no_command), Bound(max_length=MAX_URL_CHARS)]
OptionalUrl = Annotated[str, Bound(max_length=MAX_URL_CHARS)]
HeaderName = Annotated[str, Bound(min_length=1, max_length=64)]
OptionalHeaderName = Annotated[str, Bound(max_length=64)]
OptionalTarget = Annotated[str, Bound(max_length=MAX_RUN_NAME)]
Headers = Annotated[
    dict[HeaderName, Annotated[str, Bound(min_length=1, max_length=MAX_VALUE)]], Bound(max_length=MAX_FIXED_HEADERS)
]
RunSecrets = Annotated[
    dict[
        Annotated[str, Bound(min_length=1, max_length=MAX_RUN_NAME)],
        Annotated[str, Bound(min_length=1, max_length=MAX_CONTENT)],
    ],
    Bound(max_length=MAX_SECRETS),
]
EntryKind = Literal["remote", "self_hosted"]
ClientSecret = Annotated[str, Bound(max_length=1_024)]
Number = Annotated[StrictInt, Bound(ge=-(2**53), le=2**53)] | Annotated[StrictFloat, Bound(allow_inf_nan=False)]
Answer: TypeAlias = Annotated[StrictStr, Bound(max_length=MAX_VALUE)] | StrictBool | Number
Teams = Annotated[list[Id], Bound(max_length=MAX_TEAMS)]
Deadline = Annotated[float, Bound(ge=0, le=3_600)]


class FieldBody(Model):
    """One question to everyone who installs the entry. The answer fills one thing: a header of each request; a
    variable or a file of a server that Archway runs; or, where none is named, the place of its name in the URL
    (`{name}`) or in the command (`${user_config.name}`).
    """

    name: Annotated[str, Bound(min_length=1, max_length=40)]
    type: FieldType = "string"
    header: OptionalHeaderName = Bound(
        "", description="The header that the answer fills. Left out: it fills `{name}` in the entry's URL."
    )
    variable: OptionalTarget = Bound("", description="The environment variable that the answer is.")
    file: OptionalTarget = Bound("", description="The file in `/run/secrets/mcp` that holds the answer.")
    title: Text = ""
    description: Description = ""
    required: bool = True
    default: Answer | None = None
    options: Annotated[list[str], Bound(max_length=MAX_OPTIONS, default_factory=list)]


Fields = Annotated[list[FieldBody], Bound(max_length=MAX_FIELDS)]


class EntryFields(Model):
    """Fields of an entry that are set and shown. `EntryFields` of `control/registry/entry.py` has their names."""

    slug: Slug
    name: Name
    description: Description = ""
    kind: EntryKind = Bound(
        "remote", description="`remote`: it runs elsewhere, at `url`. `self_hosted`: Archway runs it, as `run` says."
    )
    url: Url = Bound(
        "",
        description="Where the server answers; empty for one that Archway runs. `{name}` stands for the answer to "
        "the field of that name that has no header: a whole segment of the path, or one label of the host, left of "
        "its owner's domain.",
    )
    run: RunBody | None = Bound(None, description="With the kind `self_hosted`: what Archway runs, and how.")
    docs_url: OptionalUrl = ""
    labels: Labels = Bound(default_factory=dict)
    visibility: Annotated[EntryVisibility, BothSpellings()] = "organisation"
    teams: Teams = Bound(default_factory=list)
    credential_model: CredentialModel = "none"
    fields: Fields = Bound(default_factory=list)
    passthrough: bool = Bound(True, description="Whether headers on a gateway's allowlist go on to this server.")
    isolation: Isolation = Bound("principal", description="Who may share a session with the server.")
    caller_statement: CallerStatementBody | None = Bound(
        None,
        description="What its server is told of each caller, by Archway's word, beside its credential. It is "
        "replaced whole; null: nothing.",
    )
    deadline_s: Deadline = Bound(0, description="Longest wait for an answer in seconds; 0: the proxy's setting.")
    team_id: Id | None = Bound(
        None,
        description="The team whose own entry it is: its editors keep it, and it alone sees it. Null: the "
        "organisation's, and what a change to null makes of it.",
    )
    environment_id: Id | None = Bound(
        None,
        description="Where it is put: see `/environments`. Into a restricted one, and out of it, only by who holds "
        "`environment:deploy-to-restricted`. Null: into none.",
    )


class EntryCreate(EntryFields):
    """A new entry: for a server that runs elsewhere, or for one that Archway runs."""

    credential_placement: CredentialSettings | None = None
    fixed_headers: Headers = Bound(
        default_factory=dict, description="Sent with every request; values are sealed and never shown again."
    )
    run_secrets: RunSecrets = Bound(
        default_factory=dict,
        description="Of a server that Archway runs: variable to value, or file to content where `run.mounted` names "
        "it. Sealed and never shown again.",
    )
    client_secret: ClientSecret | None = Bound(
        None, description="With the credential model `oauth` and a `client_id`: that client's secret. Never shown."
    )


class EntryPatch(EntryFields, Change):
    """A change of an entry: fields that are named change; lists and maps are replaced whole."""

    credential_placement: CredentialSettings | None = Bound(
        None, description="Null with the credential model `none`."
    )
    fixed_headers: Headers = Bound(
        default_factory=dict,
        description="All of them: what is not given again is removed. Required when the URL changes.",
    )
    run_secrets: RunSecrets = Bound(
        default_factory=dict,
        description="All of them: what is not given again is removed. Required when image or command changes.",
    )
    client_secret: ClientSecret = Bound(
        "",
        description="As for a new entry; empty takes it away. Required again where the client, its provider or the "
        "server's origin changes.",
    )
    discovery_installation_id: Id | None = Bound(
        None,
        description="The installation through which its tools are found; null: one that is ready, the organisation's "
        "before a team's and a person's.",
    )

    def changes(self) -> dict[str, Any]:
        """What is named, of `run` too."""
        return super().changes() | ({"run": self.run.model_dump(exclude_unset=True)} if self.run else {})


class EntryQuery(NamedPageQuery):
    """Filters of the list of entries."""

    text: Text = Bound("", description="Text in the name or the slug.")
    label: Text = Bound("", description="`name=value`: entries with this label.")
    credential_model: CredentialModel | None = Bound(None, description="Entries whose credential is of this kind.")
    environment_id: Id | None = Bound(None, description="Entries that are in this environment.")


class EntryDelete(Query):
    """What may be deleted together with an entry."""

    cascade: bool = Bound(False, description="Delete its installations and assignments too.")


class EntryView(EntryFields, Item):
    """An entry as it is shown: names of fixed headers, never their values."""

    credential_placement: dict[str, Any]
    has_client_secret: bool = Bound(description="Whether the secret of a client at the provider is kept.")
    placed_by: Id | None = Bound(
        description="Who put it into its environment, or made another server of it there since; null: nobody who is "
        "still there."
    )
    fixed_header_names: list[str]
    run_secret_names: list[str]
    discovery_installation_id: Id | None = Bound(
        description="The installation through which its tools are found; null: the first that becomes ready will be."
    )
    discovery: dict[str, Any] = Bound(
        description="The latest discovery through that one: when, by whom; how many tools; which were "
        "added, changed and are gone; which were left out, and notes, with reasons."
    )
    warnings: list[str] = Bound(
        description="After a change of the URL: where it redirects to. Of one that Archway runs: what may be another "
        "version at each start, and which policy does not hold it. Of one elsewhere: which policy shuts it out."
    )
    held_to: str = Bound(
        description="Of a server elsewhere: to the egress policy of which environment the proxies hold its calls; '' "
        "for none."
    )
    created_at: Moment
    updated_at: Moment
    version: int


class DefinitionDifference(Model):
    """One place at which a tool's definition differs from the one that was acknowledged."""

    at: str = Bound(description="Such as `inputSchema.properties.to.description`.")
    before: str | None = Bound(description="Cut; null where nothing stood there.")
    after: str | None


class ToolView(Item):
    """A tool that an entry keeps, as its server last listed it."""

    entry_id: Id
    kind: ToolKind
    name: str
    upstream_name: str
    definition: dict[str, Any]
    definition_sha256: str
    state: ToolState
    discovered_at: Moment
    missing_since: Moment | None
    changed_at: Moment | None = Bound(description="Since when it is another one than somebody has acknowledged.")
    differences: list[DefinitionDifference] = Bound(description="What differs since then.")
    only_as_task: bool = Bound(description="It works only as a task, so that gateways neither list nor call it.")
    version: int


class ToolPatch(Change):
    """A change of a tool. One in quarantine is refused on every gateway; gateways warn of one that changed."""

    state: Literal["active", "quarantined"]
    acknowledged: Literal[True] = Bound(description="Somebody has looked at the tool as it is now.")
