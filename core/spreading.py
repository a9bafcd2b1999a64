"""Moments that are spread, so that many of a kind do not act at once: streams that end, values that are refreshed."""

import random


def between(least: float, most: float) -> float:
    """Any number between these, by chance. For no secret: whoever can foretell it gains nothing."""
    return random.uniform(least, most)  # noqa: S311 - spreads load, hides nothing
