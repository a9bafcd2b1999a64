"""What the stages work with, built once per worker in `proxy/worker.py` and passed as an argument.

Seven parts are protocols: those through which a stage that decides on a call counts, takes a place, spends a budget,
refreshes or asks. Such a stage knows no more of them than the protocol here says, so it can run dry: with parts that
look only at what is there, to explain what would become of a call (`proxy/explaining/dry_parts.py`). The others are
classes as they are: what is only read (settings, sessions, whether a record can be kept), and what is first used by
lanes, or once a call is sent, recorded or streamed, which a dry run leaves out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from core.egress.client import Egress
from core.resolve import CallerVerdict, InstallationQuestion, JwtProof, Proof, ResolvedInstallation
from proxy.caches.two_ages import Rest
from proxy.exchange import Exchange
from proxy.gateways.compiled import CompiledGateway
from proxy.limits.overload import Overload
from proxy.limits.running_calls import Calls
from proxy.limits.seat import CallLimits, Seat
from proxy.limits.shares import Shares
from proxy.limits.streams import Streams
from proxy.offered.listing import Listing
from proxy.records.keeper import RecordKeeper
from proxy.resolve.renewals import Renewals
from proxy.search_indexes import SearchIndexes
from proxy.sessions.elsewhere import Elsewhere
from proxy.sessions.endings import Endings
from proxy.sessions.mailbox import Mailbox
from proxy.sessions.pending_questions import PendingQuestions
from proxy.sessions.sealed import Sessions
from proxy.settings import ProxySettings
from proxy.subscriptions.subscriptions import Subscriptions
from proxy.telemetry.counting import CallSlots
from proxy.telemetry.refusal_log import RefusalLog
from proxy.telemetry.sign_in_steps import SignInSteps
from proxy.tracing.tracer import Tracer
from proxy.upstream.conversation import Upstreams
from proxy.verified_token import Verified


class Counts(Protocol):
    """A part that counts what happens (`proxy/telemetry/counting.py`)."""

    planned: int
    """Calls that went by a plan."""

    def add(self, name: str, amount: float = 1.0) -> None:
        """Count in a series that is known beforehand, by its whole name."""

    def count_refusal(self, reason: str) -> None:
        """Count a refusal."""

    def call(
        self, gateway: str, server: str, tool: str, status: str, seconds: float, bytes_in: int, bytes_out: int
    ) -> None:
        """Count one call."""

    def of_call(self, gateway: str, server: str, tool: str, status: str) -> CallSlots:
        """Where such calls are counted."""

    def call_at(self, places: CallSlots, seconds: float, bytes_in: int, bytes_out: int) -> None:
        """Count one call there."""


class KnowsCallers(Protocol):
    """A part that says who is the bearer of a credential (`proxy/resolve/caller_verdicts.py`)."""

    def known(self, proof: Proof) -> CallerVerdict | None:
        """The verdict if nobody need be asked for it."""

    def rest(self, digest: str) -> Rest[CallerVerdict] | None:
        """What `known` has given, for who rests on it for a while."""

    def refused_lately(self, digest: str) -> bool:
        """Whether a credential was refused a moment ago."""

    def remembers(self, digest: str) -> bool:
        """Whether a verdict is here that has not expired, however old."""

    async def verdict(self, proof: Proof, address: str) -> CallerVerdict:
        """The verdict, asked for. Raises SourceUnreachable, and Refusal."""


class ChecksSignedTokens(Protocol):
    """A part that checks signed tokens by itself (`proxy/callers/signed_tokens.py`)."""

    def known(self, digest: str, gateway_name: str) -> Verified | None:
        """What was verified of a token before, if it holds for this gateway now."""

    async def verified(self, proof: JwtProof, gateway_name: str, address: str) -> Verified:
        """What is verified of a token now. Raises Refusal, and SourceUnreachable."""

    def is_for(self, verified: Verified, gateway: CompiledGateway) -> bool:
        """Whether a token is one for this gateway."""


class HoldsGateways(Protocol):
    """A part that has the gateways (`proxy/gateways/holder.py`)."""

    def held(self, name: str) -> CompiledGateway | None:
        """The gateway by slug or identifier, if it is here."""

    def peek(self, name: str) -> CompiledGateway | None:
        """The same, of whatever age; this is no use of it."""

    async def load(self, name: str, address: str) -> CompiledGateway:
        """The gateway, fetched. Raises Refusal."""


class KnowsInstallations(Protocol):
    """A part that says which installation serves a call (`proxy/resolve/installations.py`)."""

    def key(self, gateway_id: str, assignment_id: str, principal_key: str | None) -> str:
        """Under which an answer is remembered; `principal_key` where the answer is the caller's own."""

    def young(self, key: str) -> ResolvedInstallation | None:
        """The answer while nothing need be asked about it."""

    def known(self, key: str, question: InstallationQuestion) -> ResolvedInstallation | None:
        """The answer if nobody need be waited for."""

    def rest(self, key: str) -> Rest[ResolvedInstallation] | None:
        """What `young` or `known` has given, for who rests on it for a while."""

    async def resolve(self, key: str, question: InstallationQuestion) -> ResolvedInstallation:
        """The answer, asked for. Raises Refusal, and SourceUnreachable."""

    @property
    def renewals(self) -> Renewals:
        """What knows newer credentials than those that upstreams refuse, once a call was sent."""


class ListsOffers(Protocol):
    """A part that asks servers for lists (`proxy/lists.py`)."""

    async def listing(self, x: Exchange, deps: "Deps", method: str, *, fresh: bool = False) -> Listing:
        """The list of this method as the caller sees it; `fresh`: as it is now, for who begins to read it."""


class ShedsLoad(Protocol):
    """A part that refuses calls while there is more to do than can be done (`proxy/limits/overload.py`)."""

    sheds: bool
    """Whether a stage must ask `refuses`."""
    pressed: bool
    """Set by a stage that finds no place for a call."""

    def refuses(self, address: str, *, stranger: bool = False) -> bool:
        """Whether a new call from this address is one too many; spends its budget if it is not."""


class HasRoom(Protocol):
    """A part that counts what is in use of the worker (`proxy/limits/usage.py`)."""

    @property
    def running(self) -> Shares:
        """Calls, by principal."""

    @property
    def held(self) -> Shares:
        """Bytes that are held for callers, by principal."""

    def enter(self, server: str, principal: str, tool: str, most: int) -> bool:
        """Take a place at a server; False where there is none for this principal or this tool."""

    def leave(self, server: str, principal: str, tool: str) -> None:
        """Give a place at a server back."""

    def seat(self, principal: str, server: str, tool: str, limits: CallLimits) -> Seat:
        """All that calls of one principal, of one tool of one server, take, looked up once."""

    def found_by_name(self, server: str, principal: str, tool: str) -> None:
        """Have at hand by name what a seat has taken."""


@dataclass  # without slots, since it is compiled
class Deps:
    """The parts of one worker that the stages work with."""

    settings: ProxySettings
    slots: Counts
    authority: KnowsCallers
    signed_tokens: ChecksSignedTokens
    gateways: HoldsGateways
    sessions: Sessions
    endings: Endings
    installations: KnowsInstallations
    upstreams: Upstreams
    calls: Calls
    usage: HasRoom
    mailbox: Mailbox
    records: RecordKeeper
    streams: Streams
    lists: ListsOffers
    searches: SearchIndexes
    subscriptions: Subscriptions
    """Of callers, to single resources."""
    suspended: Elsewhere
    """Calls that wait for answers of modern callers."""
    hosts: frozenset[str]
    origins: frozenset[str]
    follows_changes: Callable[[], bool]
    """Whether the change stream was compared with at least once, or found to be away."""
    questions: PendingQuestions = field(default_factory=PendingQuestions)
    """What legacy callers were asked."""
    tracer: Tracer | None = None
    """None: no call is traced."""
    header_names: dict[bytes, str] = field(default_factory=dict)
    """Names of headers as they came that the stage `admit` judged good, in lower case."""
    draining: bool = False
    refusal_log: RefusalLog = field(default_factory=RefusalLog)
    sign_ins: SignInSteps = field(default_factory=SignInSteps)
    """Steps of signing in, of which control is told."""
    overload: ShedsLoad = field(default_factory=Overload)
    to_pages: Egress | None = None
    """The client for control's public listener. None: nothing is passed on there."""
