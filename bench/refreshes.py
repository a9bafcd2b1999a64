"""How often a proxy asked again about what it holds, as its own metrics tell: what a round costs depends on it.

Called by `bench/sides.py` around each round. A worker tells its counters once a second, so that a refresh in the last
second of a round is told of the next one.
"""

import re
import urllib.request
from typing import NamedTuple

_COUNTED = re.compile(r"^archway_(refreshes|refresh_questions)_total\{[^}]*\} ([0-9.e+]+)$", re.MULTILINE)
_WITHIN_S = 10.0


class Refreshes(NamedTuple):
    """Values that were asked about again, and the questions to control in which that was done."""

    refreshes: int
    questions: int

    def since(self, before: "Refreshes") -> "Refreshes":
        """What came since then."""
        return Refreshes(self.refreshes - before.refreshes, self.questions - before.questions)


def refreshes_in(metrics: str) -> Refreshes:
    """What a scrape tells, over all caches."""
    told = {"refreshes": 0.0, "refresh_questions": 0.0}
    for name, value in _COUNTED.findall(metrics):
        told[name] += float(value)
    return Refreshes(int(told["refreshes"]), int(told["refresh_questions"]))


def refreshes_of(metrics_url: str) -> Refreshes:
    """What this proxy has told so far."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(metrics_url, timeout=_WITHIN_S) as answer:
        return refreshes_in(answer.read().decode())
