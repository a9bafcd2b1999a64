from __future__ import annotations

import logging
from unittest.mock import patch

import pytest

from proxy.refusals import Refusal
from proxy.telemetry.refusal_log import RefusalLog

BAD = Refusal("not_authenticated", detail="revoked")


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock() -> object:
    ours = Clock()
    with patch("proxy.telemetry.refusal_log.time", ours):
        yield ours


def test_a_source_gets_a_line_a_second_and_then_hears_what_was_left_unsaid(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    log = RefusalLog()
    with caplog.at_level(logging.INFO):
        for number in range(1000):
            log.note("192.0.2.1", BAD, f"request-{number}")
        clock.now += 1
        log.note("192.0.2.1", BAD, "request-last")

    first, second = caplog.records
    said = [(line.address, line.reason, line.detail, line.request_id, line.unsaid) for line in (first, second)]  # type: ignore[attr-defined]
    assert said == [
        ("192.0.2.1", "not_authenticated", "revoked", "request-0", 0),
        ("192.0.2.1", "not_authenticated", "revoked", "request-last", 999),
    ]
    assert log.unsaid == 999


def test_many_sources_together_get_so_many_lines(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    log = RefusalLog()
    with caplog.at_level(logging.INFO):
        for number in range(10_000):
            log.note(f"10.0.{number >> 8}.{number & 255}", BAD, "r")
        assert len(caplog.records) == 20
        clock.now += 1
        log.note("192.0.2.1", BAD, "r")
        assert len(caplog.records) == 21
    assert len(log._of) <= 4096
    assert log.unsaid == 10_001 - 21


def test_a_network_of_one_caller_is_one_source(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    log = RefusalLog()
    with caplog.at_level(logging.INFO):
        for number in range(100):
            log.note(f"2001:db8::{number:x}", BAD, "r")
    assert len(caplog.records) == 1
