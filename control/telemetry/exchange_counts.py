"""How exchanges of tokens for callers ended, counted in the memory of one control.

Filled by `control/exchanges/exchanges.py`, read by `exposition.py`. Counters begin at 0 when control starts.
"""

from control.telemetry.metrics import EXCHANGE_OUTCOMES, ExchangeOutcome


class ExchangeCounts:
    """How often a provider gave a token for a caller in one control, and how often not."""

    def __init__(self) -> None:
        self.ended: dict[ExchangeOutcome, int] = dict.fromkeys(EXCHANGE_OUTCOMES, 0)
        """Exchanges, by how they ended."""

    def note(self, outcome: ExchangeOutcome) -> None:
        """An exchange ended."""
        self.ended[outcome] += 1
