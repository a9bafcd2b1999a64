"""Spans on their way to the collector: a bounded queue, and a thread that sends what gathers by OTLP over HTTP.

Whoever has a span never waits: where the queue is full, or the collector takes nothing, spans are dropped and
counted. OpenTelemetry and its exporter are imported here only, and only once there is somewhere to send to.
"""

import logging
import os
import queue
import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

from proxy.tracing.call_trace import Finished

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

log = logging.getLogger(__name__)
WAITING: Final = 2048
"""Spans; beyond, they are dropped."""
AT_ONCE: Final = 256
EVERY_S: Final = 1.0
TAKEN_WITHIN_S: Final = 5.0
_SCOPE: Final = "archway.proxy"


class Exporter(Protocol):
    """What takes spans to the collector, on the sending thread."""

    def __call__(self, spans: Sequence[Finished]) -> bool:
        """Whether the collector took them."""

    def close(self) -> None:
        """Give up what is under way."""


class Sender:
    """One worker's bounded queue of finished spans, and the thread that sends them."""

    def __init__(self, exporter: Exporter, *, every_s: float = EVERY_S) -> None:
        self.sent = self.dropped = 0
        self._exporter, self._every_s = exporter, every_s
        self._waiting: queue.Queue[Finished] = queue.Queue(WAITING)
        self._closing = threading.Event()
        self._taken = True
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        self._thread.start()

    def put(self, span: Finished) -> None:
        """Take one; never waits."""
        try:
            self._waiting.put_nowait(span)
        except queue.Full:
            self.dropped += 1

    def close(self, within_s: float = 2.0) -> None:
        """Send what still waits, for so long; the rest is dropped. Blocks, so never call it on the loop's thread."""
        self._closing.set()
        self._thread.join(within_s)
        self._exporter.close()
        self.dropped += self._waiting.qsize()

    def _run(self) -> None:
        while not self._closing.wait(self._every_s):
            self._send_all()
        self._send_all()

    def _send_all(self) -> None:
        while spans := self._gathered():
            try:
                taken = self._exporter(spans)
            except Exception:
                log.exception("spans could not be sent")
                taken = False
            if taken:
                self.sent += len(spans)
            else:
                self.dropped += len(spans)
            if taken != self._taken:
                self._taken = taken
                log.log(logging.INFO if taken else logging.WARNING, "collector of spans", extra={"takes": taken})

    def _gathered(self) -> list[Finished]:
        spans: list[Finished] = []
        while len(spans) < AT_ONCE:
            try:
                spans.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return spans


class OtlpExporter:
    """Sends spans by OTLP over HTTP. `endpoint`: the collector's base URL, or the whole URL of its traces."""

    def __init__(self, endpoint: str, headers: Mapping[str, str], ca_bundle: str = "") -> None:
        import requests
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        session = requests.Session()
        session.trust_env = False  # no proxy and no password file that this process happens to inherit
        session.max_redirects = 0
        self._exporter = OTLPSpanExporter(
            endpoint=_traces_url(endpoint),
            headers=dict(headers),
            certificate_file=ca_bundle or None,
            timeout=TAKEN_WITHIN_S,
            session=session,
        )
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # we say it once, not at every attempt
        self._scope = InstrumentationScope(_SCOPE, version("archway"))
        self._resource = Resource(
            {
                "service.name": "archway-proxy",
                "service.version": version("archway"),
                "service.instance.id": f"{os.uname().nodename}-{os.getpid()}",
            }
        )

    def __call__(self, spans: Sequence[Finished]) -> bool:
        """Whether the collector took them."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        return self._exporter.export([self._span(span) for span in spans]) is SpanExportResult.SUCCESS

    def close(self) -> None:
        """Give up what is under way."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]  # the package declares no types for it

    def _span(self, span: Finished) -> "ReadableSpan":
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

        flags, parent = TraceFlags(TraceFlags.SAMPLED), span.parent
        state = TraceState.from_header([parent.state]) if parent is not None and parent.state else None
        trace_id = int(span.trace_id, 16)
        return ReadableSpan(
            span.name,
            context=SpanContext(
                trace_id, int(span.span_id, 16), is_remote=False, trace_flags=flags, trace_state=state
            ),
            parent=SpanContext(trace_id, int(parent.span_id, 16), is_remote=True, trace_flags=flags)
            if parent is not None
            else None,
            resource=self._resource,
            attributes=span.attributes,
            kind=SpanKind.SERVER,
            status=Status(StatusCode.ERROR) if span.error else Status(StatusCode.UNSET),
            start_time=span.began_ns,
            end_time=span.ended_ns,
            instrumentation_scope=self._scope,
        )


def _traces_url(endpoint: str) -> str:
    path = urlsplit(endpoint).path.rstrip("/")
    return endpoint if path.endswith("/v1/traces") else endpoint.rstrip("/") + "/v1/traces"


def sender_to(endpoint: str, headers: dict[str, str], ca_bundle: str) -> Sender | None:
    """What sends spans to this collector; None where there is none, and no call is traced."""
    return Sender(OtlpExporter(endpoint, headers, ca_bundle)) if endpoint else None
