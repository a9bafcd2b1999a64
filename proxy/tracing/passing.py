"""What a server is told of the trace: our span where the call is traced, else the caller's, else nothing.

The stage `compose_headers` calls this with the message's `_meta` and the headers that it is making.
"""

from collections.abc import Mapping
from typing import Final

from core.snapshot import Route
from proxy.settings import ProxySettings
from proxy.tracing.call_trace import CallTrace
from proxy.tracing.context import BAGGAGE, KEYS, PARENT, STATE, baggage_of, parent_of

_NONE: Final[frozenset[str]] = frozenset()


def pass_trace_context(
    trace: CallTrace | None,
    theirs: Mapping[str, str],
    meta: dict[str, object],
    headers: dict[str, str],
    route: Route,
    settings: ProxySettings,
) -> None:
    """Put the trace context into `meta` and `headers`, and take out of `meta` what the caller left there.

    `theirs`: the caller's own headers. A stdio server gets no header. Remote servers get nothing where the settings
    say so.
    """
    if trace is None and PARENT not in theirs and BAGGAGE not in theirs and (not meta or KEYS.isdisjoint(meta)):
        return
    said: dict[str, object] = {key: meta.pop(key) for key in KEYS if key in meta}
    if route.kind == "remote" and not settings.trace_to_remote:
        return
    parent = trace.parent if trace is not None else parent_of(said, theirs)
    told: dict[str, str] = {}
    if trace is not None:
        told[PARENT] = f"00-{trace.trace_id}-{trace.span_id}-01"
    elif parent is not None:
        told[PARENT] = parent.text
    if parent is not None and parent.state:
        told[STATE] = parent.state
    baggage = baggage_of(said, theirs, settings.baggage_keys or _NONE)
    if baggage:
        told[BAGGAGE] = baggage
    meta.update(told)
    if not route.stdio:
        for name, value in told.items():
            headers.setdefault(name, value)  # the installation's own headers win, as they do over all others
