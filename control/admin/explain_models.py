"""Bodies of the admin API for what would become of a call."""

from typing import Annotated, Any, Literal

from pydantic import Field

from control.credentials.whose import CallerKind, Uses
from control.http.models import Id, Model, Name, View
from control.registry.owner import Scope
from core.explain import HeaderOf, Outcome
from core.resolve import Way
from core.snapshot import RouteKind


class ExplainCall(Model):
    """The call that is asked about."""

    tool: Name = Field(description="Its name, as the gateway shows it.")
    arguments: dict[str, Any] = Field(default={}, description="As the call would have them.")
    subject: Annotated[str, Field(max_length=1_100)] | None = Field(
        default=None,
        description="Who would call: user:EMAIL, team:NAME, organisation, service:CLIENT, external:ID, token:ID "
        "for this token. Null for oneself; anybody else needs gateway:explain.",
    )
    by: Way | None = Field(
        default=None,
        description="How they would authenticate: with a token of Archway (token), by signing in with an OAuth "
        "client (oauth), an identity assertion (id_jag), or their provider's own token (jwt). Null: as is usual.",
    )
    client: Annotated[str, Field(max_length=1_024)] = Field(
        default="",
        description="With oauth: the client that a person would come with, by ID or name; empty for whichever.",
    )


class WouldCall(View):
    """Who would call, as the gateway would know them."""

    principal: str = Field(description="As records name them: user:ID, team:ID and so on.")
    name: str
    kind: CallerKind
    later: str = Field(description="What of their credential is known only at the call; empty for nothing.")


class StageView(View):
    """What one check or step would do, in the order of a call."""

    stage: str
    outcome: Outcome = Field(
        description="passed, refuses, not_reached after a refusal, or at_the_call: known only when there is one."
    )
    why: str = Field(description="The refusal, or what is known later; empty where it passed.")


class WouldServe(View):
    """The installation that would serve the call."""

    id: Id
    name: str
    entry: str = Field(description="The entry's slug.")
    scope: Scope
    owner: str = Field(description="Whose it is, by name; empty for the organisation.")
    credential: str = Field(description="The kind of credential that the entry has.")
    uses: Uses | None = Field(
        description="Whose token the server gets: nothing, what the installation holds (installation), what the "
        "provider gave at the person's own sign-in (sign_in), the token that the caller came with (own_token), or a "
        "statement of Archway's (statement). Null where it gets none."
    )
    account: str = Field(description="The account at the server's provider that acts; empty where it is not known.")
    asks_first: str = Field(description="Who would be asked for a token first; empty for nobody.")


class WouldReach(View):
    """The server that would get the call. Null in all but the first for who may ask about themselves alone."""

    kind: RouteKind
    url: str | None = Field(description="Where it is.")
    era: Literal["", "legacy", "modern"] | None = Field(description="That it is known to speak; empty where not yet.")
    isolation: str | None = Field(description="Who may share a session with it.")
    deadline_s: float | None = Field(description="Of the call; progress may extend it.")
    calls_at_once: int | None = Field(description="That one worker has with it, of all callers.")


class HeaderView(View):
    """A header that the server would get. Its value is told to nobody."""

    name: str
    of: HeaderOf


class ExplanationView(View):
    """What would become of a call."""

    refused: bool
    reason: str = Field(description="The refusal's word, as in records; empty where nothing refuses.")
    sentence: str = Field(description="What the caller would get, word for word.")
    status: int = Field(description="The HTTP status of the answer.")
    link: str
    cause: str = Field(description="Why, for who may ask about others; else empty.")
    cure: str = Field(description="What helps, for who may ask about others; else empty.")
    caller: WouldCall
    stages: list[StageView]
    gateway_revision: int
    tool: str = Field(description="The tool that would be called: of run_tool, the one that it names.")
    serving: WouldServe | None
    server: WouldReach | None
    headers: list[HeaderView] = Field(description="Beside those of every call; empty for who may ask about none.")
