"""How long to wait before what ended is started again: a function of how long it lived.

Told by child.py of its one program, and by the proxy's supervisor of its workers together. What dies soon is given
longer and longer pauses, for ever: the cause (a full disk, a port taken meanwhile) may go away, and until then a row
of starts must not keep the machine busy.
"""

_SHORTEST_S = 0.1


class Pauses:
    """The pauses between the ends and the next starts of one program, or of several that are the same."""

    def __init__(self, steady_s: float, longest_s: float) -> None:
        self._steady_s, self._longest_s = steady_s, longest_s
        self._pause = _SHORTEST_S
        self.early = 0
        """How many ends came early, one after the other: each before it had lived `steady_s` seconds."""

    def after(self, lived_s: float) -> float:
        """The seconds to wait before the next start of a program that has ended after `lived_s` seconds."""
        if lived_s >= self._steady_s:
            self.steady()
        else:
            self.early += 1
            self._pause = min(self._pause * 2, self._longest_s)
        return self._pause

    def steady(self) -> None:
        """Told that the program has run for long enough: its next end counts as the first again."""
        self.early, self._pause = 0, _SHORTEST_S
