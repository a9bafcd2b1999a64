"""What a row gives back."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Found:
    """One row's result."""

    lines: dict[str, float]
    """Named as the report prints them."""
    seen: Any = field(default_factory=dict)
    """Everything behind them, for the JSON."""
