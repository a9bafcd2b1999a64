"""What a lane asks of a request's body before and while it comes: its form, its size, and its pace."""

from typing import Final

from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal

SLACK_S: Final = 2.0
LEAST_RATE: Final = 1024
"""Bytes a second that a body must come at on the average, once `SLACK_S` are over."""


def judge_announced(x: Exchange, deps: Deps, length: int) -> None:
    """Before any of it is read: refuses what is compressed, and what announces itself as too large."""
    if x.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise Refusal("body_packed")
    if length > deps.settings.max_body:
        raise Refusal("body_too_large", limit=deps.settings.max_body)


def seconds_for(size: int, most: float) -> float:
    """How many seconds after its beginning the next bytes of a body must be there, when `size` bytes have come."""
    return min(max(SLACK_S, size / LEAST_RATE), most)


def too_slow(size: int, most: float) -> Refusal:
    """The refusal of a body that was not there in time."""
    return Refusal("body_slow", seconds=round(seconds_for(size, most), 1))
