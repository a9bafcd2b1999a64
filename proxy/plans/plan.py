"""What the stages decided for one head and one tool, and what that rests on.

A plan decides nothing: `made.py` takes it from a call that went through the pipeline and was answered. It stands as
long as every value from which the stages took it is still what the worker's memories hold (whoever drops, replaces or
doubts one says so: `stands`), and no longer than each of them may be used without asking. Of the caller's credential
it has what the caller has (`proxy/caller.py`).
"""

from typing import Final

from orjson import Fragment

from core.records import CallRecord
from core.resolve import CallerVerdict, ResolvedInstallation
from proxy.caches.standing import Stands
from proxy.caches.two_ages import Aged
from proxy.caller import Caller
from proxy.exchange import Target
from proxy.gateways.compiled import CompiledGateway
from proxy.limits.seat import Seat
from proxy.sessions.sealed import Session
from proxy.telemetry.counting import CallSlots
from proxy.upstream.handshake import UpstreamSession
from proxy.upstream.pool.places import Way

RENEW_S: Final = 1.0
"""Once a plan is old enough to be renewed, one call in so many seconds goes through the stages, which ask again."""


class Plan:
    """How calls of one tool with one head go on. `made.plan_of` sets everything; only `renew_at` changes later."""

    __slots__ = (
        "account",
        "before",
        "caller",
        "declared",
        "end",
        "entry_id",
        "expires",
        "exposed",
        "failed",
        "gateway",
        "good_until",
        "installation",
        "installation_id",
        "jti",
        "line",
        "max_stale",
        "meta",
        "modern",
        "names_uris",
        "ok",
        "renew_at",
        "resting",
        "rests_on",
        "seat",
        "seconds",
        "server_info",
        "session",
        "target",
        "tells_id",
        "upstream_session",
        "verdict",
        "version",
        "way",
    )

    # what it rests on
    verdict: Aged[CallerVerdict]
    resting: Aged[ResolvedInstallation]
    gateway: CompiledGateway
    rests_on: tuple[Stands, ...]
    """What else there is: the era that was found out, sessions of a legacy caller and of a legacy server, and
    what was verified of a signed token."""
    renew_at: float
    """Monotonic time from which on a call goes through the stages now and then, which ask again."""
    good_until: float
    """Monotonic time from which on nothing of it may be used."""
    expires: float
    """Unix seconds after which it is nothing: those of the caller's credential, of a signed token itself, of the
    caller's session, or of the installation's token."""
    max_stale: float
    """Seconds for which a gateway may be used that is not known to be current."""

    # how the call goes on
    way: Way
    before: bytes
    end: bytes
    """What stands between the id and the arguments, and behind them."""
    seconds: float
    """How long the server has for its answer."""
    tells_id: bool
    """Whether each call tells its request's identifier, which then has to be put at the end of `way`."""
    installation: ResolvedInstallation
    upstream_session: UpstreamSession | None

    seat: Seat
    """What its calls take of the worker."""

    # who calls what, and how they are answered
    target: Target
    exposed: str
    caller: Caller
    entry_id: str
    modern: bool
    names_uris: bool
    """Whether URIs in its results may need a name before them: then such a result goes through the stages."""
    version: str
    """The revision that the answer must fit."""
    server_info: dict[str, object]
    account: Fragment | None
    """What its results say of who acted."""
    session: Session | None
    jti: str
    """Of the caller's session; empty without one."""

    # what a record and the counters say
    meta: object
    """`_meta` of the call that it was made of, which is certain: most clients send the same with each call."""
    declared: object
    """What the caller declares in it that it can, which its server was told of as far as the gateway allows."""
    line: CallRecord
    """What the records of all calls of it with this `_meta` have in common."""
    installation_id: str
    ok: CallSlots
    failed: CallSlots
    """Counters of calls that succeed, and of those of which the tool says that they failed."""

    def stands(self, now: float, unix: float) -> bool:
        """Whether all that was decided holds still, at this monotonic and this Unix time."""
        if not (self.verdict.stands and self.resting.stands and self.gateway.stands):
            return False
        if now >= self.good_until or unix >= self.expires or now - self.gateway.confirmed > self.max_stale:
            return False
        for one in self.rests_on:  # noqa: SIM110 - a generator would take longer than all of this
            if not one.stands:
                return False
        return True
