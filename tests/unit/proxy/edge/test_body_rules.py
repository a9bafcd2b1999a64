from __future__ import annotations

import pytest

from proxy.deps import Deps
from proxy.edge.body_rules import LEAST_RATE, SLACK_S, judge_announced, seconds_for, too_slow
from proxy.refusals import Refusal
from tests.fakes.proxy_parts import exchange, proxy_parts


def test_a_body_has_a_little_time_and_then_must_keep_its_pace() -> None:
    assert seconds_for(0, 15) == SLACK_S
    assert seconds_for(5 * LEAST_RATE, 15) == 5
    assert seconds_for(100 * LEAST_RATE, 15) == 15
    assert seconds_for(0, 0.5) == 0.5
    assert too_slow(5 * LEAST_RATE, 15).words == {"seconds": 5.0}


@pytest.mark.parametrize(
    ("coding", "taken"), [("", True), ("identity", True), ("gzip", False), ("br, identity", False)]
)
async def test_a_packed_body_is_refused_before_it_is_read(deps: Deps, coding: str, taken: bool) -> None:
    x = exchange({})
    x.headers = {"content-encoding": coding}
    if taken:
        judge_announced(x, deps, 1)
        return
    with pytest.raises(Refusal) as refusal:
        judge_announced(x, deps, 1)
    assert refusal.value.reason == "body_packed"


async def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read() -> None:
    async with proxy_parts(max_body=10) as deps:
        judge_announced(exchange({}), deps, 10)
        with pytest.raises(Refusal) as refusal:
            judge_announced(exchange({}), deps, 11)
    assert refusal.value.reason == "body_too_large"
