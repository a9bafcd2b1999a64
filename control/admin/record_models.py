"""Bodies of the admin API for records of calls, and for what is missing of them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from control.http.models import MARKS, UUID, Id, Item, Moment, Query, View, Worded, in_our_spelling
from control.http.paging import PageQuery
from control.records.statuses import Status
from control.store.records import Wanted

_Text = Annotated[str, Worded(rf"[^{MARKS}]*", "must not hold control characters")] | None
Decision = Literal["allowed", "refused"]
_Principal = Annotated[
    str,
    Worded(
        rf"(?:user|team|service|external):{UUID}|organi[sz]ation",
        "must be user:ID, team:ID, service:ID, external:ID or organisation, with the identifier that lists show",
        longest=45,
    ),
    AfterValidator(in_our_spelling),
]


class Record(Item):
    """One call as it ended, or a request of a known caller that was refused before. No argument and no result is in
    it.
    """

    time: Moment = Field(description="When the call came in; if the proxy's clock is wrong, when its record arrived.")
    duration_ms: float | None
    request_id: str
    decision: Decision = Field(description="`allowed` or `refused`.")
    status: str = Field(description="`ok`, `tool_error`, `cancelled`, or the reason of a refusal or fault.")
    reason: str = Field(description="The sentence that the caller got, where something was refused or went wrong.")
    method: str = Field(description="Empty where the request was refused before it was read.")
    principal: str = Field(
        description="`user:ID`, `team:ID`, `organisation`, `service:ID`, an OAuth client by itself, or "
        "`external:ID`, somebody without an account."
    )
    auth: str
    token_id: str
    client: str
    address: str
    gateway_id: str
    gateway_asked: str = Field(description="The gateway as the caller named it, where they were not let in.")
    gateway_revision: int
    tool: str
    entry_id: str
    installation_id: str
    installation_owner: str
    credential_version: int
    account: str = Field(
        description="The account at the server's provider that acted, as the provider names it; empty where none is."
    )
    arguments_sha256: str
    bytes_in: int
    bytes_out: int
    session: str
    trace_id: str
    issuer: str = Field(description="Who made the caller's token, where that is an identity provider's own.")
    subject: str = Field(description="Who calls, in that issuer's words: a person, or a job.")
    left_out: int = Field(
        description="Of a refusal before a call: how many of this caller since the one before have no record, since "
        "one caller leaves so many only."
    )


class RecordFilter(Query):
    """Which records of calls are wanted."""

    gateway: Annotated[
        Id | None, Field(description="Identifier of the gateway; also of a deleted one, as long as records name it.")
    ] = None
    principal: Annotated[
        _Principal | None, Field(description="`user:ID`, `team:ID`, `organisation`, `service:ID` or `external:ID`.")
    ] = None
    tool: Annotated[
        _Text, Field(description="Its exposed name: the one that the gateway showed when it was called.")
    ] = None
    status: Annotated[Status | None, Field(description="How the call ended.")] = None
    decision: Decision | None = None
    entry: Annotated[Id | None, Field(description="Identifier of the entry; also of a deleted one.")] = None
    installation: Annotated[
        Id | None,
        Field(description="Identifier of the installation whose credential was used; also of a deleted one."),
    ] = None
    client: Annotated[_Text, Field(description="How the client's name begins, in whatever case.")] = None
    request_id: Annotated[_Text, Field(description="The X-Request-Id of the answer.")] = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to", description="Before this moment.")] = None

    @property
    def wanted(self) -> Wanted:
        """As the store takes it."""
        return Wanted(
            self.gateway, self.principal, self.tool, self.status, self.decision, self.since, self.until,
            self.entry, self.installation, self.client, self.request_id,
        )  # fmt: skip


class RecordQuery(RecordFilter, PageQuery):
    """Filters of the list of records of calls, and its page."""


class Gap(View):
    """Batches of one worker that did not come, or records that it gave up, before one that came."""

    worker: str
    first_number: int | None = Field(description="First missing batch; null when none is missing.")
    last_number: int | None
    dropped: int = Field(description="Records that the worker itself gave up, having no room to keep them.")
    after_time: Moment | None = Field(description="The missing records are not older than this.")
    before_time: Moment = Field(description="The missing records are not newer than this.")
    noticed_at: Moment


class GapQuery(PageQuery):
    """Filters of the list of gaps: whose, and when they were noticed."""

    worker: _Text = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
