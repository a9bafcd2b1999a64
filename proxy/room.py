"""Room for what a worker holds for its callers: request bodies as they come, and answers until they were read.

Counted by principal, so that one who sends and does not finish, or asks and does not read, is refused alone. Called
by the lanes, the pipeline and `relay`; given back by `at_end`.
"""

from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.limits.shares import quarter
from proxy.refusals import overloaded


def try_reserve(x: Exchange, deps: Deps, size: int) -> bool:
    """Take room for so many bytes more; False where this principal, or the worker, has no more of it.

    A request whose caller has left takes none: its call may run on, but the answer is dropped as soon as it is there.
    """
    if x.ended:
        return True
    most = deps.settings.bytes_in_flight
    if not deps.usage.held.take(x.principal_key, size, most=most, share=quarter(most)):
        return False
    x.bytes_held += size
    return True


def reserve(x: Exchange, deps: Deps, size: int) -> None:
    """As `try_reserve`, for what is refused at once. Raises Refusal `overloaded`."""
    if not try_reserve(x, deps, size):
        raise overloaded()


def at_end(x: Exchange, deps: Deps) -> None:
    """The answer was written, or the caller has left: nothing is held for this request any more.

    A call that runs on keeps what it holds, for its body is still there; it asks this again when it is over.
    """
    x.ended = True
    if not x.runs:
        deps.usage.held.give_back(x.principal_key, x.bytes_held)
        x.bytes_held = 0
