"""Moments that are spread."""

from __future__ import annotations

from core.spreading import between


def test_moments_are_spread_within_their_bounds() -> None:
    drawn = {between(2.0, 3.0) for _ in range(100)}
    assert len(drawn) > 1
    assert min(drawn) >= 2.0
    assert max(drawn) <= 3.0
