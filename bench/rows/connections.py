"""Throughput and waits at 1, 16, 64 and 256 connections, on every side."""

from bench.rows.found import Found
from bench.stand import Case, Stand

COUNTS = (1, 16, 64, 256)


def connections(stand: Stand) -> Found:
    """Lines are named `<side>_at_<connections>_<figure>`."""
    cases = [
        Case(f"{side.name}_at_{count}", side, stand.orders(connections=count))
        for count in COUNTS
        for side in stand.sides
    ]
    rounds = stand.alternate(cases)
    return Found(rounds.lines(), rounds.seen)
