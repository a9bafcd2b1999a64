"""What a lane asks of a request's body before and while it comes: its form, its size, and its pace."""

from typing import Final

from proxy.deps import Deps
from proxy.edge.request_reader import BODY_WANTED, HEAD_BEGUN, LAST_BODY_WANTED, ReaderEvent
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.settings import ProxySettings

SLACK_S: Final = 2.0
LEAST_RATE: Final = 1024
"""Bytes a second that a body must come at on the average, once `SLACK_S` are over."""
LINGER_S: Final = 1.0
"""How long the rest of a body that nobody wants is read and thrown away, so that its sender can read why."""


def judge_announced(x: Exchange, deps: Deps, length: int, most: int | None = None) -> None:
    """Before any of it is read: refuses what is compressed, and what announces itself as too large, for the setting
    or for `most`."""
    limit = deps.settings.max_body if most is None else most
    if x.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise Refusal("body_packed")
    if length > limit:
        raise Refusal("body_too_large", limit=limit)


def seconds_of(event: ReaderEvent, settings: ProxySettings) -> float:
    """How long a connection waits for what its reader says is wanted now."""
    if event is HEAD_BEGUN:
        return settings.header_seconds
    if event is BODY_WANTED:
        return settings.body_seconds
    assert event is LAST_BODY_WANTED, event
    return LINGER_S


def seconds_for(size: int, most: float) -> float:
    """How many seconds after its beginning the next bytes of a body must be there, when `size` bytes have come."""
    return min(max(SLACK_S, size / LEAST_RATE), most)


def too_slow(size: int, most: float) -> Refusal:
    """The refusal of a body that was not there in time."""
    return Refusal("body_slow", seconds=round(seconds_for(size, most), 1))
