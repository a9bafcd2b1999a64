"""What the stages work with, built once per worker in `proxy/worker.py` and passed as an argument."""

from collections.abc import Callable
from dataclasses import dataclass, field

from proxy.gateways.holder import Gateways
from proxy.limits.overload import Overload
from proxy.limits.running_calls import Calls
from proxy.limits.streams import Streams
from proxy.records.keeper import RecordKeeper
from proxy.resolve.installations import Connections
from proxy.resolve.token_verdicts import Authority
from proxy.sessions.endings import Endings
from proxy.sessions.mailbox import Mailbox
from proxy.sessions.sealed import Sessions
from proxy.settings import ProxySettings
from proxy.telemetry.counting import Slots
from proxy.telemetry.refusal_log import RefusalLog
from proxy.tracing.tracer import Tracer
from proxy.upstream.conversation import Upstreams


@dataclass(slots=True)
class Deps:
    """The parts of a worker."""

    settings: ProxySettings
    slots: Slots
    authority: Authority
    gateways: Gateways
    sessions: Sessions
    endings: Endings
    connections: Connections
    upstreams: Upstreams
    calls: Calls
    mailbox: Mailbox
    records: RecordKeeper
    streams: Streams
    hosts: frozenset[str]
    origins: frozenset[str]
    follows_changes: Callable[[], bool]
    """Whether the change stream was compared with at least once, or found to be away."""
    tracer: Tracer | None = None
    """None: no call is traced."""
    header_names: dict[bytes, str] = field(default_factory=dict)
    """Names of headers as they came that the stage `admit` judged good, in lower case."""
    draining: bool = False
    refusal_log: RefusalLog = field(default_factory=RefusalLog)
    overload: Overload = field(default_factory=Overload)
