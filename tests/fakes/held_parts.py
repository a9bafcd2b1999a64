"""What a worker holds for the calls of a fast lane: nothing, once they are over."""

from proxy.edge.fast_lane import FastLane
from proxy.worker import Worker


def holds_nothing(worker: Worker, lane: FastLane) -> bool:
    """Whether no place, no room and no registration is left of any call."""
    usage, calls = worker.usage, worker.deps.calls
    return not (
        usage.calls_in_flight
        or usage.bytes_in_flight
        or usage.at_servers
        or calls._stepped
        or calls._running
        or calls._all
        or lane.parts.plans._parts.running
        or worker.deps.upstreams._deadlines._running
    )
