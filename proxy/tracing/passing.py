"""What a server is told of the trace: our span where the call is traced, else the caller's, else nothing.

`compose_headers` calls this with the message's `_meta` and the headers that it is making.
"""

from typing import Final

from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.tracing.context import BAGGAGE, KEYS, PARENT, STATE, baggage_of, parent_of

_NONE: Final[frozenset[str]] = frozenset()


def pass_trace_context(x: Exchange, deps: Deps, meta: dict[str, object], headers: dict[str, str]) -> None:
    """Put the trace context into both, and take out of `meta` what the caller left there.

    A stdio server gets no header. Remote servers get nothing where the settings say so.
    """
    theirs = x.headers
    if x.trace is None and PARENT not in theirs and BAGGAGE not in theirs and (not meta or KEYS.isdisjoint(meta)):
        return
    said: dict[str, object] = {key: meta.pop(key) for key in KEYS if key in meta}
    assert x.tool is not None
    route = x.tool.tool.route
    if route.kind == "remote" and not deps.settings.trace_to_remote:
        return
    parent = x.trace.parent if x.trace is not None else parent_of(said, theirs)
    told: dict[str, str] = {}
    if x.trace is not None:
        told[PARENT] = f"00-{x.trace.trace_id}-{x.trace.span_id}-01"
    elif parent is not None:
        told[PARENT] = parent.text
    if parent is not None and parent.state:
        told[STATE] = parent.state
    baggage = baggage_of(said, theirs, deps.settings.baggage_keys or _NONE)
    if baggage:
        told[BAGGAGE] = baggage
    meta.update(told)
    if not route.stdio:
        for name, value in told.items():
            headers.setdefault(name, value)  # the installation's own headers win, as they do over all others
