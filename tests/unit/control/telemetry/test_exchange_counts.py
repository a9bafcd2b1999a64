from control.telemetry.exchange_counts import ExchangeCounts
from control.telemetry.metrics import EXCHANGE_OUTCOMES


def test_each_end_is_counted_by_itself_from_nought() -> None:
    counts = ExchangeCounts()
    assert counts.ended == dict.fromkeys(EXCHANGE_OUTCOMES, 0)
    counts.note("away")
    counts.note("away")
    assert (counts.ended["away"], counts.ended["exchanged"]) == (2, 0)
