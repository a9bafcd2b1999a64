"""What a row gives back."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Found:
    """What a row of the bench found: its lines for people, and everything behind them."""

    lines: dict[str, float]
    """Named as the report prints them."""
    seen: Any = field(default_factory=dict)
    """Everything behind them, for the JSON."""
