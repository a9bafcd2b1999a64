"""Hypothesis over a running system: examples are drawn in a thread, and tried on the loop of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

Example = TypeVar("Example")
EXAMPLE_WITHIN_S = 30.0


async def explore(
    examples: SearchStrategy[Example], check: Callable[[Example], Awaitable[None]], *, most: int
) -> None:
    """`check` awaited for up to `most` examples, one after another; a failing one is made smaller and raised."""
    loop = asyncio.get_running_loop()

    @settings(max_examples=most, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(examples)
    def in_thread(example: Example) -> None:
        asyncio.run_coroutine_threadsafe(_awaited(check, example), loop).result(EXAMPLE_WITHIN_S)

    await asyncio.to_thread(in_thread)


async def _awaited(check: Callable[[Example], Awaitable[None]], example: Example) -> None:
    await check(example)
