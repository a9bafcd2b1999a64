"""Which calls are traced, and the span of one that is over.

Whether a call is traced is decided before anything is made for it: by the flag of its caller, up to so many a
second, or else by the ratio of the settings. `proxy/upstream_call.py` asks. What a span says of its call is told by
the stage `record`, in values; nothing here knows the call itself, and nothing here waits.
"""

import random
import secrets
import time
from collections.abc import Mapping
from typing import Protocol

from proxy.tracing.call_trace import Attributes, CallTrace, Finished
from proxy.tracing.context import PARENT, parent_of


class Sends(Protocol):
    """What takes finished spans, such as the queue to the collector."""

    def put(self, span: Finished) -> None:
        """Take one; never waits."""


class Tracer:
    """Decides which calls of one worker are traced, and ends their spans.

    `ratio`: of calls whose caller decided nothing; `per_second`: of those that their caller wants traced.
    """

    def __init__(self, sender: Sends, *, ratio: float, per_second: float) -> None:
        self._sender, self._ratio = sender, ratio
        self._rate = self._level = per_second
        self._at = time.monotonic()

    def begin(self, meta: Mapping[str, object], headers: Mapping[str, str]) -> CallTrace | None:
        """The trace of a call with this `_meta` and these headers; None for one that is not traced."""
        parent = None
        if PARENT in meta or PARENT in headers:
            parent = parent_of(meta, headers)
        if parent is None:
            if random.random() >= self._ratio:  # noqa: S311 (nobody gains anything by guessing it)
                return None
        elif not parent.sampled or not self._within_rate():
            return None
        trace_id = parent.trace_id if parent is not None else secrets.token_hex(16)
        return CallTrace(trace_id, secrets.token_hex(8), parent)

    def end(self, trace: CallTrace, name: str, began: float, told: Attributes, error: str) -> None:
        """A call is over: its span goes out, under this name.

        `began`: when its headers were there, by `time.perf_counter`; `told`: what the span says beside the times;
        `error`: the kind of error that it ended in, empty for none.
        """
        ended = time.time_ns()
        took = int((time.perf_counter() - began) * 1e9)
        attributes = told | trace.stages
        attributes["archway.stage.before_the_call"] = round(trace.began - began, 7)
        if error:
            attributes["error.type"] = error
        span = Finished(name, trace.trace_id, trace.span_id, trace.parent, ended - took, ended, attributes, error)
        self._sender.put(span)

    def _within_rate(self) -> bool:
        now = time.monotonic()
        self._level = min(max(self._rate, 1.0), self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True
