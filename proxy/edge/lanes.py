"""Which lane serves the public listener."""

from typing import Any

from proxy.deps import Deps
from proxy.edge.aiohttp_lane import AiohttpLane
from proxy.edge.fast_lane import FastLane
from proxy.edge.listener import Listener
from proxy.edge.stream_sweep import StreamSweep


def public_listener(deps: Deps, **limits: Any) -> Listener | FastLane:
    """The protocol factory of the lane that the settings name; `limits` are aiohttp's, which is behind both.

    `auto` is the fast lane: over the same bytes, cut at every place, it does what the other does (`tests/fuzz`).
    """
    sweep = StreamSweep(deps)
    listener = Listener(AiohttpLane(deps, sweep), deps, **limits)
    return FastLane(deps, listener, sweep) if deps.settings.lane != "aiohttp" else listener
