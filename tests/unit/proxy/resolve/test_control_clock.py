from __future__ import annotations

import logging
import time
from email.utils import formatdate

import pytest

from core.clocks import REFUSED_FOR_CLOCK
from proxy.resolve.control_clock import ControlClock
from tests.plugins.moved_clock import MovedClock


def date(ahead: float) -> dict[str, str]:
    """Headers of a control whose clock we are so far ahead of."""
    return {"Date": formatdate(time.time() - ahead, usegmt=True)}


@pytest.mark.parametrize(("ahead", "words"), [(90, "ahead of"), (-100, "behind")])
def test_a_refusal_for_the_clock_is_put_in_words_and_logged_as_an_error(
    ahead: float, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ControlClock()
    said = clock.seen(403, {**date(ahead), **REFUSED_FOR_CLOCK})
    assert words in said
    assert "clock" in said
    assert abs(clock.ahead - ahead) < 3
    (line,) = caplog.records
    assert (line.levelno, line.refused) == (logging.ERROR, True)  # type: ignore[attr-defined]
    assert "clock" in line.getMessage()


def test_clocks_that_agree_are_no_news(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for status in (200, 403, 503):
            assert ControlClock().seen(status, date(5)) == ""
    assert caplog.records == []


@pytest.mark.parametrize("ahead", [40.0, -40.0])
def test_a_difference_that_is_not_refused_yet_is_a_warning(ahead: float, caplog: pytest.LogCaptureFixture) -> None:
    assert ControlClock().seen(200, date(ahead)) == ""
    assert [line.levelno for line in caplog.records] == [logging.WARNING]


def test_it_is_said_once_a_minute_and_when_it_is_over(caplog: pytest.LogCaptureFixture, clock: MovedClock) -> None:
    watch = ControlClock()
    with caplog.at_level(logging.INFO):
        for _ in range(50):
            watch.seen(403, {**date(90), **REFUSED_FOR_CLOCK})
        assert len(caplog.records) == 1
        clock.pass_by(61)
        watch.seen(403, {**date(90), **REFUSED_FOR_CLOCK})
        assert len(caplog.records) == 2
        watch.seen(200, date(0))
        watch.seen(200, date(0))
    assert caplog.records[-1].getMessage() == "this proxy's clock agrees with control's again"
    assert len(caplog.records) == 3


def test_an_answer_without_a_date_leaves_the_difference_as_it_was() -> None:
    clock = ControlClock()
    clock.seen(200, date(90))
    assert "differ" in clock.seen(403, REFUSED_FOR_CLOCK)
    assert clock.ahead > 80
