"""A worker that is overloaded because a test says so."""

from itertools import count

from proxy.limits.overload import Overload


def overloaded() -> Overload:
    """Refuses every call: its round has begun long ago, and does not end."""
    seconds = count(1000.0)

    def clock() -> float:
        return next(seconds)

    made = Overload(clock=clock, work_clock=clock, soon=lambda _: None)
    made.round_took(1.0, 1.0)
    made.round_took(1.0, 1.0)
    assert made.sheds
    for stranger in (False, True):
        made.refuses("", stranger=stranger)  # the first of the round is taken
        assert made.refuses("127.0.0.1", stranger=stranger)
    return made
