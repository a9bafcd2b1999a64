"""Every metric of a proxy: its name, its kind, its labels, what it says; docs/operating/metrics.md has the same.

Whatever counts takes the name from here, so that one that the table lacks is seen at import.
A label's value is from a table of ours or from a snapshot, never from a caller: what a caller names and we do not
know is counted as `other`. How many series there can be is bounded in `proxy/telemetry/counting.py`.
"""

from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

from proxy.refusals import TABLE

Kind = Literal["counter", "gauge", "oldest", "least", "histogram"]
"""Workers' numbers are added up, but of `oldest` the largest is told and of `least` the smallest that is not 0."""
LETTERS: Final[dict[Kind, str]] = {"counter": "c", "gauge": "g", "oldest": "o", "least": "l", "histogram": "h"}
MOMENTARY: Final = "gol"
"""Kinds that are true only while their worker lives."""

OTHER: Final = "other"
STATUSES: Final = frozenset({"ok", "tool_error", "cancelled", "wrong_message", "internal", *TABLE})
BOUNDS: Final = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0)
"""Upper ends of the buckets of a duration, in seconds; the last bucket has none."""
LONGEST_VALUE: Final = 200
"""Characters of a label's value."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a worker: its name, kind, labels and help text."""

    name: str
    kind: Kind
    says: str
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ((),)
    """The values of the labels where they are known beforehand; none where they come from snapshots."""


def _counter(name: str, says: str, **labels: tuple[str, ...]) -> Metric:
    return Metric(f"archway_{name}", "counter", says, tuple(labels), tuple(product(*labels.values())))


def _gauge(name: str, says: str, kind: Kind = "gauge") -> Metric:
    return Metric(f"archway_{name}", kind, says)


def _of_snapshots(name: str, kind: Kind, says: str, *labels: str) -> Metric:
    return Metric(f"archway_{name}", kind, says, labels, ())


_CACHES: Final = ("verdicts", "connections", "snapshots", "key_sets")
_USES: Final = ("hit", "planned", "miss", "stale")
_CHECKED: Final = ("good", "refused")
_PASSED_ON: Final = ("answered", "unavailable")
_REFRESHED: Final = ("verdicts", "connections")
_RESOLVED: Final = ("remembered", "asked", "refused", "unavailable")
_RENEWED: Final = ("renewed", "nothing_newer", "refused", "unavailable")
_AUTHENTICATED: Final = ("accepted", "missing", "malformed", "refused", "too_many_unknown", "unavailable")

UNPLANNED: Final = (
    "first",  # of its head and tool, or since a long while
    "again",  # the plan is old, or something that it rests on has changed
    "changed",  # something changed while the call ran
    "unusual",  # the message: progress, keys of others in `_meta`, another shape
    "in_pieces",  # the body did not come with its head
    "last",  # the connection ends with it
    "no_place",  # a limit is reached
    "no_connection",  # none lies idle
    "in_doubt",  # something is against the server
    "traced",
    "audited",  # the gateway waits for its records
    "resource",  # that is offered as a tool
    "mirrored",  # arguments stand in headers too
    "trace_context",
    "browser",  # the answer names the origin
    "sent_otherwise",  # through an egress proxy
    "refused",  # or failed: only what was answered is kept
    "overloaded",
    "off",  # ARCHWAY_PLANS is 0
)
"""Why a call has no plan."""
LEFT: Final = ("answer", "long", "asked", "caller", "deadline", "connection", "cancelled")
"""What became unusual of a call that was sent by its plan. `answer`: it is another one, or there is no room for it,
or the worker ends; `long`: it has not come after a while."""

METRICS: Final[tuple[Metric, ...]] = (
    # Requests and calls
    _counter("requests_total", "Requests, by the lane that read them.", lane=("fast", "aiohttp")),
    _counter("authentications_total", "Requests by how authentication ended.", outcome=_AUTHENTICATED),
    _counter("signed_tokens_total", "Signed tokens that were checked, as they were not remembered.", found=_CHECKED),
    _counter("refusals_total", "Refusals of requests and of calls.", reason=tuple(TABLE)),
    _of_snapshots("calls_total", "counter", "Calls, by how they ended.", "gateway", "server", "tool", "status"),
    _of_snapshots("call_duration_seconds", "histogram", "From a call's headers to its record.", "gateway", "status"),
    _counter("planned_calls_total", "Calls of the fast lane by their plan.", plan=("kept", *UNPLANNED)),
    _counter("plans_left_total", "Calls that left their plan after they were sent.", why=LEFT),
    _counter("access_ended_total", "Calls that were stopped, because their caller may not call any more."),
    _counter("passed_on_total", "Requests passed on to control's public listener.", outcome=_PASSED_ON),
    _counter("bytes_in_total", "Bytes of the bodies of calls."),
    _counter("bytes_out_total", "Bytes of the answers to calls."),
    _counter("lists_total", "Lists answered from memory."),
    _counter("progress_total", "Progress notifications passed on."),
    _gauge("calls_in_flight", "Calls that run."),
    _gauge("streams_open", "Open GET streams."),
    _gauge("listened_servers", "Servers that are listened to for callers."),
    _gauge("loop_lag_seconds", "Longest round of an event loop that was measured in the last second.", "oldest"),
    # Servers
    _counter("credential_resolutions_total", "Calls by where their credential came from.", outcome=_RESOLVED),
    _counter("credential_renewals_total", "Calls whose server refused the credential.", outcome=_RENEWED),
    _gauge("servers_watched", "Servers that are listened to for news of their lists."),
    _counter("list_news_total", "Times that a server said that one of its lists has changed."),
    _counter("upstream_connects_total", "Connections to servers.", outcome=("made", "failed")),
    # What is remembered
    _counter("cache_uses_total", "Questions to what is remembered.", cache=_CACHES, result=_USES),
    _counter("cache_used_age_seconds_total", "Ages of what was a hit, added up.", cache=_CACHES),
    _counter("refreshes_total", "Values that were asked about again before their soft age.", cache=_REFRESHED),
    _counter("refresh_questions_total", "Questions to control about refreshes, of one or many.", cache=_REFRESHED),
    _counter("key_set_questions_total", "Questions to control about the keys of an issuer."),
    _counter("stale_uses_total", "Uses past the soft age, because control could not be reached."),
    _gauge("control_clock_difference_seconds", "Between this clock and control's, at its last answer.", "oldest"),
    _gauge("verdicts_held", "Verdicts on tokens in memory."),
    _gauge("connections_held", "Resolved credentials in memory."),
    _gauge("gateways_held", "Gateways in memory."),
    _gauge("key_sets_held", "Issuers whose keys are in memory."),
    _of_snapshots("snapshot_revision", "least", "Revision of a gateway, the lowest that a worker holds.", "gateway"),
    _gauge("snapshot_age_seconds", "Longest time since a held gateway was known to be current.", "oldest"),
    _counter("snapshots_rejected_total", "Documents that control did not sign, or that cannot be read."),
    _counter("stream_holes_total", "Times that news were missed on the change stream."),
    # What is told
    _counter("records_total", "Call records taken for sending."),
    _counter("records_dropped_total", "Call records lost."),
    _counter("spans_total", "Spans, taken by the collector or lost.", outcome=("sent", "dropped")),
    _counter("log_lines_dropped_total", "Log lines lost: nobody read them fast enough."),
    _counter("refusals_unsaid_total", "Refusals not logged, because their source had many."),
    _counter("accept_pauses_total", "Times that callers had to wait, because places or descriptors ran out."),
    _gauge("compiled", "Workers that run compiled modules; the others are interpreted."),
    _gauge("tasks", "Tasks of the event loops."),
    _gauge("tls_files_broken", "1 in each worker that cannot use the TLS files and goes on with those before."),
    _gauge("worker_start_time_seconds", "Unix time at which the youngest worker began.", "oldest"),
)
WORKER_SLOTS: Final = _gauge("worker_slots", "Files of counts, of workers that live or have lived.")
PROXY_WORKERS: Final = _gauge("proxy_workers", "Workers that run.")
OF_THE_SUPERVISOR: Final = (WORKER_SLOTS, PROXY_WORKERS)
"""What the metrics listener tells beside the workers' own numbers."""
BY_NAME: Final = {metric.name: metric for metric in METRICS}


def _with_labels(name: str) -> Metric:
    return BY_NAME[f"archway_{name}"]


def _plain(name: str) -> str:
    """The one series of a metric without labels."""
    return series(BY_NAME[f"archway_{name}"], ())


def series(metric: Metric, values: tuple[str, ...]) -> str:
    """A series as the exposition format writes it: the name, and the labels with their values escaped."""
    if not metric.labels:
        return metric.name
    pairs = ",".join(f'{label}="{_escaped(value)}"' for label, value in zip(metric.labels, values, strict=True))
    return f"{metric.name}{{{pairs}}}"


def by_value(metric: Metric) -> dict[str, str]:
    """The series of a metric with one label, by its value."""
    return {values[0]: series(metric, values) for values in metric.values}


def _escaped(value: str) -> str:
    """Backslash, quote and line feed are escaped; whatever else a value holds may stand in it."""
    return value[:LONGEST_VALUE].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


CALLS: Final = _with_labels("calls_total")
DURATIONS: Final = _with_labels("call_duration_seconds")
REVISIONS: Final = _with_labels("snapshot_revision")
AUTHENTICATIONS: Final = _with_labels("authentications_total")
RESOLUTIONS: Final = _with_labels("credential_resolutions_total")
RENEWALS: Final = _with_labels("credential_renewals_total")
REQUESTS: Final = _with_labels("requests_total")
REFUSALS: Final = _with_labels("refusals_total")
CONNECTS: Final = _with_labels("upstream_connects_total")
CACHE_USES: Final = _with_labels("cache_uses_total")
CACHE_USED_AGE: Final = _with_labels("cache_used_age_seconds_total")
REFRESHES: Final = _with_labels("refreshes_total")
REFRESH_QUESTIONS: Final = _with_labels("refresh_questions_total")
SPANS: Final = _with_labels("spans_total")
SIGNED_TOKENS: Final = _with_labels("signed_tokens_total")
PASSED_ON: Final = _with_labels("passed_on_total")
PLANNED: Final = _with_labels("planned_calls_total")
PLANS_LEFT: Final = _with_labels("plans_left_total")
# Names of series, where a metric has one alone.
BYTES_IN: Final = _plain("bytes_in_total")
BYTES_OUT: Final = _plain("bytes_out_total")
LISTS: Final = _plain("lists_total")
PROGRESS: Final = _plain("progress_total")
CALLS_IN_FLIGHT: Final = _plain("calls_in_flight")
STREAMS_OPEN: Final = _plain("streams_open")
LISTENED_SERVERS: Final = _plain("listened_servers")
LOOP_LAG: Final = _plain("loop_lag_seconds")
STALE_USES: Final = _plain("stale_uses_total")
CONTROL_CLOCK: Final = _plain("control_clock_difference_seconds")
VERDICTS_HELD: Final = _plain("verdicts_held")
CONNECTIONS_HELD: Final = _plain("connections_held")
GATEWAYS_HELD: Final = _plain("gateways_held")
KEY_SETS_HELD: Final = _plain("key_sets_held")
KEY_SET_QUESTIONS: Final = _plain("key_set_questions_total")
SERVERS_WATCHED: Final = _plain("servers_watched")
LIST_NEWS: Final = _plain("list_news_total")
ACCESS_ENDED: Final = _plain("access_ended_total")
SNAPSHOT_AGE: Final = _plain("snapshot_age_seconds")
SNAPSHOTS_REJECTED: Final = _plain("snapshots_rejected_total")
STREAM_HOLES: Final = _plain("stream_holes_total")
RECORDS: Final = _plain("records_total")
RECORDS_DROPPED: Final = _plain("records_dropped_total")
LOG_LINES_DROPPED: Final = _plain("log_lines_dropped_total")
REFUSALS_UNSAID: Final = _plain("refusals_unsaid_total")
ACCEPT_PAUSES: Final = _plain("accept_pauses_total")
TASKS: Final = _plain("tasks")
COMPILED: Final = _plain("compiled")
TLS_FILES_BROKEN: Final = _plain("tls_files_broken")
WORKER_START_TIME: Final = _plain("worker_start_time_seconds")
