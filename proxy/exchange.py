"""One request on its way through the pipeline: filled stage by stage, by either lane.

`Head` is what a lane knows at the end of the header block; `Exchange` is everything that the stages learn. The lanes
differ only in how they make a head, read a body and write an `Answer` or a stream; they decide nothing.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from core.identifiers import new_id
from core.mcp.message import Batch, Message, Request, RoutingHeaders
from core.mcp.methods import META_LOG_LEVEL
from core.mcp.param_headers import ParamHeaders
from core.mcp.versions import Era
from core.resolve import ResolvedInstallation
from core.snapshot import Route, Rule
from proxy.caller import STRANGER, Caller
from proxy.gateways.compiled import CompiledGateway
from proxy.gateways.stream_news import Subscription
from proxy.offered.shown_uris import ShownUris
from proxy.refusals import Refusal, RefusedAs
from proxy.sessions.sealed import Session
from proxy.tracing.call_trace import CallTrace
from proxy.upstream.outbound import Outbound
from proxy.upstream.sent_call import SentCall


@dataclass(slots=True)
class Judged:
    """What a head says by its bytes and its peer, whatever the time: filled by `admit`, `authenticate` and `parse`.

    It stays with its head. A lane that gets the same head again from the same peer hands in the same `Head`, so
    several requests may share it; what time changes (whether the credential still stands, the gateway, the session,
    room) is asked again for each of them.
    """

    headers: dict[str, str]
    """Without `authorization` once its credential was accepted; not to be changed otherwise."""
    gateway_name: str
    address: str
    caller: Caller | None = None
    """Who was accepted with it the last time; None before."""
    claimed_digest: str | None = None
    """Of the credential that came, whatever it is worth; empty for none. Filled where an overloaded worker asks."""
    routing: RoutingHeaders | None = None


@dataclass(slots=True)
class Head:
    """Request line and headers, as they came."""

    method: str
    target: str
    """Raw, neither decoded nor normalised."""
    version: tuple[int, int]
    raw_headers: Sequence[tuple[bytes, bytes]]
    peer: str
    """Address of the other end of the connection."""
    headers: dict[str, str] | None = None
    """Instead of `raw_headers`, from a lane that has judged them as `admit` does: by lower-case name."""
    judged: Judged | None = None
    plans: "dict[str, Any] | None" = None
    """What was decided of calls with this head, by the name that they call (`proxy/plans`); None before."""
    unplanned: str = ""
    """Why calls with this head have no plan; empty where that is not known."""


@dataclass(slots=True)
class Answer:
    """A whole answer, ready to be written."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    close: bool = False


@dataclass(frozen=True, slots=True)
class Retry:
    """A call that is made again with answers for its server, or a request about a task that it began."""

    place: str
    """Whose server asked, or has the task, as `call_state.place_of` has it; empty where nothing says so."""
    state: str | None
    """That it gave with its question."""
    answers: dict[str, object] | None
    """None where there is nothing to answer."""
    suspended: str = ""
    """The call that waits for them; empty where it is made again."""


class Target(Protocol):
    """What a call is for, as its gateway shows it: a tool, a prompt. Later stages know no more of it than this."""

    @property
    def exposed(self) -> str:
        """Its name on the gateway."""

    @property
    def assignment_id(self) -> str:
        """The assignment that put it on the gateway."""

    @property
    def route(self) -> Route:
        """How it is reached."""

    @property
    def rule(self) -> Rule | None:
        """The first policy rule that names it."""

    @property
    def param_headers(self) -> ParamHeaders:
        """Its arguments that headers mirror."""

    def asks(self, params: Mapping[str, object]) -> tuple[str, dict[str, object]]:
        """The method and the parameters that its server is asked with, for a caller's parameters."""

    def result_of(self, result: dict[str, object]) -> dict[str, object] | None:
        """What the caller gets of the server's result; None where that is none for this method."""

    def instead_of(self, code: object) -> dict[str, object] | None:
        """The result in place of a server's error with this code; None where there is none."""

    def is_callers_fault(self, code: object) -> bool:
        """Whether a server's error with this code is the caller's: then they are told the server's words."""


class Outlet(Protocol):
    """The way back to the caller, as a lane offers it to the stages that stream."""

    @property
    def streaming(self) -> bool:
        """Whether an event stream was begun; then no whole answer can follow."""

    @property
    def gone(self) -> bool:
        """Whether the caller has left."""

    async def send_event(self, message: bytes) -> None:
        """Send one JSON-RPC message as an event, beginning the stream if need be. Waits while the caller is slow.

        Silently nothing once the caller has left.
        """

    def keep_alive(self) -> None:
        """Send a comment on the stream, beginning it if need be; never waits. Not once a whole answer follows."""


class _Nobody:
    """The way back to a caller that was answered."""

    streaming = False
    gone = True

    async def send_event(self, message: bytes) -> None:
        """Nothing."""

    def keep_alive(self) -> None:
        """Nothing."""


NOBODY: Final[Outlet] = _Nobody()


class _NoStream:
    """The way back to a caller who gets the answers of several calls together."""

    streaming = False
    gone = False

    async def send_event(self, message: bytes) -> None:
        """Nothing: what would be streamed beside one of them is left out."""

    def keep_alive(self) -> None:
        """Nothing."""


NO_STREAM: Final[Outlet] = _NoStream()


@dataclass(slots=True)
class Exchange:
    """Everything about one request. Each stage fills what it names; later stages rely on it."""

    head: Head
    outlet: Outlet
    request_id: str = field(default_factory=new_id)
    began: float = field(default_factory=time.perf_counter)
    time: float = field(default_factory=time.time)

    # admit
    let_in: bool = False
    """Whether the lane has asked already if the worker is too loaded for it (`one_too_many`)."""
    headers: dict[str, str] = field(default_factory=dict)
    """Lower-case names, checked values."""
    gateway_name: str = ""
    address: str = ""
    # authenticate
    caller: Caller = STRANGER
    # enter the gateway
    gateway: CompiledGateway | None = None
    session: Session | None = None
    session_lost: bool = False
    """Whether it names a session that is none, or not theirs: then it may only open another one."""
    # while the body comes, and when there is an answer
    bytes_held: int = 0
    """How much of the worker's room for bodies and answers this request has taken."""
    bytes_read: int = 0
    """How much of that is for a large answer that was read, or waits for it, and is not written yet."""
    cut_off: str = ""
    """Why the call was ended though its caller waits (`running_calls.CutOff`); empty: its own session cancels it."""
    ended: bool = False
    """Whether its caller was answered, or has left: then it takes no more, and gives back what it has."""
    runs: bool = False
    """Whether it is a call that is not over."""
    # parse
    body: bytes = b""
    read: object = None
    """The body as JSON, where the lane has read it already."""
    message: Message | Batch | None = None
    era: Era = Era.LEGACY
    # look up the method
    choose: "Callable[[Exchange, Any], Awaitable[None] | None] | None" = None
    """The stage that chooses the target of a call; None for what no server is asked for."""
    stages: "tuple[Callable[[Exchange, Any], Awaitable[None] | None], ...] | None" = None
    """Those after it, where they are not the usual ones."""
    refused_as: RefusedAs | None = None
    """How the refusal of a call looks; None for what no server is asked for."""
    asked: int = 0
    """How often its caller was asked something in place of an answer, as a modern one says who calls again."""
    subscription: Subscription | None = None
    """What a modern caller listens for, where the answer is the beginning of a stream that stays open."""
    retry: Retry | None = None
    """Answers to a question of the server, or the task that is asked about."""
    # where the call is sampled
    trace: CallTrace | None = None
    sampled: bool = False
    """Whether it was drawn already if the call is traced."""
    # choose the target
    target: Target | None = None
    ran: bool = False
    """Whether it was named by the arguments of `run_tool`."""
    # limits
    holds_slot: bool = False
    # resolve the credential
    installation: ResolvedInstallation | None = None
    # compose headers
    outbound: Outbound | None = None
    # forward
    sent: SentCall | None = None
    """Where the call could be sent at once."""
    # receive, relay
    result: dict[str, object] | None = None
    asks: bool = False
    """Whether the result is a question of ours in a server's name, ready for the caller."""
    large: bool = False
    """Whether a large answer was read (`LARGE`): then the one for the caller is made beside the loop, in its turn."""
    uris: ShownUris | None = None
    """How the caller knows URIs in the result, where some may need a name."""
    answer: Answer | None = None
    refusal: Refusal | None = None
    """What ended it, where it was refused."""
    status: str = ""
    """The reason word of a refusal or fault, `ok` or `tool_error`."""
    reason: str = ""
    """The sentence of a refusal or fault."""
    bytes_out: int = 0

    @property
    def request(self) -> Request:
        """The message, where it is known to be a request."""
        assert isinstance(self.message, Request)
        return self.message

    @property
    def log_level(self) -> str:
        """From which level on its caller hears what servers log; empty where none was said."""
        if self.era is Era.MODERN:
            return str(self.request.meta.get(META_LOG_LEVEL, ""))
        return self.session.log_level if self.session is not None else ""

    @property
    def outlives_caller(self) -> bool:
        """Whether this is a call that runs on when its caller leaves, as legacy ones do (MCP 2025-11-25)."""
        return self.era is Era.LEGACY and self.refused_as is not None

    @property
    def version(self) -> str:
        """The protocol version that the answer must fit."""
        if self.session is not None:
            return self.session.version
        return self.headers.get("mcp-protocol-version", "").strip() or "2025-03-26"
