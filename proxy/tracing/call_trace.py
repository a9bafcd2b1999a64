"""The trace of one sampled call: made when it is sampled, told of each stage, and a span at its end."""

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec

from proxy.tracing.context import Parent

Told = ParamSpec("Told")
"""What a stage is called with."""
Attributes = dict[str, str | int | float]


@dataclass(slots=True)
class CallTrace:
    """What is known of the span while its call runs."""

    trace_id: str
    span_id: str
    parent: Parent | None
    began: float = field(default_factory=time.perf_counter)
    """When it was sampled: the body is read and the message parsed."""
    stages: Attributes = field(default_factory=dict)
    """Seconds of each stage, waiting included."""

    def timed(
        self, stages: Iterable[Callable[Told, Awaitable[None] | None]]
    ) -> Iterator[Callable[Told, Awaitable[None] | None]]:
        """The same stages, each of which tells how long it took, however it ended."""
        for stage in stages:
            yield partial(self._timed, stage)

    def _timed(
        self, stage: Callable[Told, Awaitable[None] | None], *told: Told.args, **named: Told.kwargs
    ) -> Awaitable[None] | None:
        began, pending = time.perf_counter(), None
        try:
            pending = stage(*told, **named)
        finally:
            if pending is None:
                self._took(stage.__name__, began)
        return None if pending is None else self._waited(stage.__name__, began, pending)

    async def _waited(self, stage: str, began: float, pending: Awaitable[None]) -> None:
        try:
            await pending
        finally:
            self._took(stage, began)

    def _took(self, stage: str, began: float) -> None:
        self.stages[f"archway.stage.{stage}"] = round(time.perf_counter() - began, 7)


@dataclass(frozen=True, slots=True)
class Finished:
    """A span that is over, in plain values: the thread that sends it makes OpenTelemetry's objects of it."""

    name: str
    trace_id: str
    span_id: str
    parent: Parent | None
    began_ns: int
    ended_ns: int
    attributes: Attributes
    error: str
