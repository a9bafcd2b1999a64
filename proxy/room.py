"""Room for what a worker holds for its callers: request bodies as they come, and answers until they were read.

Counted by principal, so that one who sends and does not finish, or asks and does not read, is refused alone. Called
by the lanes, the pipeline, `receive` and `relay`; given back by `at_end`.
"""

from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.limits.shares import quarter
from proxy.refusals import Refusal, overloaded


def try_reserve(x: Exchange, deps: Deps, size: int) -> bool:
    """Take room for so many bytes more; False where this principal, or the worker, has no more of it.

    A request whose caller has left takes none: its call may run on, but the answer is dropped as soon as it is there.
    """
    if x.ended:
        return True
    most = deps.settings.bytes_in_flight
    if not deps.usage.held.take(x.caller.key, size, most=most, share=quarter(most)):
        return False
    x.bytes_held += size
    return True


def reserve(x: Exchange, deps: Deps, size: int) -> None:
    """As `try_reserve`, for what is refused at once. Raises Refusal `overloaded`."""
    if not try_reserve(x, deps, size):
        raise overloaded()


def hold_read(x: Exchange, deps: Deps, size: int) -> bool:
    """As `try_reserve`, for a large answer that is read: in place of what this call read before.

    It is held, too, where the caller has left and the call runs on.
    """
    deps.usage.held.give_back(x.caller.key, x.bytes_read)
    x.bytes_held -= x.bytes_read
    x.bytes_read = 0
    if x.ended and not x.runs:
        return True
    most = deps.settings.bytes_in_flight
    if size and not deps.usage.held.take(x.caller.key, size, most=most, share=quarter(most)):
        return False
    x.bytes_held += size
    x.bytes_read = size
    return True


def no_room(x: Exchange, deps: Deps) -> Refusal:
    """The refusal of an answer for which there is no room beside others of its caller, or of all."""
    assert x.installation is not None
    most, held = deps.settings.bytes_in_flight, deps.usage.held
    left = min(quarter(most) - held.of(x.caller.key), most - held.used)
    return Refusal(
        "upstream_too_large",
        server=x.installation.entry,
        limit=left,
        unit="bytes",
        detail="other answers are unread",
    )


def at_end(x: Exchange, deps: Deps) -> None:
    """The answer was written, or the caller has left: nothing is held for this request any more.

    A call that runs on keeps what it holds, for its body is still there; it asks this again when it is over.
    """
    x.ended = True
    if not x.runs:
        deps.usage.held.give_back(x.caller.key, x.bytes_held)
        x.bytes_held = x.bytes_read = 0
