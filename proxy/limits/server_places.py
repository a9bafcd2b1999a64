"""Places at one server: how many calls may be with it at once, and how many of them of one caller or of one tool.

Counts only; `usage` has one of these for each server, `apply_limits` says what a caller is told who gets no place. A
tool that hangs keeps what it is given, so neither it nor a caller is ever given the last places: beyond half of them,
each may have three times what is left free. One that hangs leaves a quarter, two a seventh, ten a thirty-first.
"""


class ServerPlaces:
    """The places at one server that are taken, by caller and tool."""

    __slots__ = ("_by_caller", "_by_tool", "used")

    def __init__(self) -> None:
        self.used = 0
        """By all together."""
        self._by_caller: dict[str, int] = {}
        self._by_tool: dict[str, int] = {}

    def take(self, caller: str, tool: str, most: int) -> bool:
        """Take one of `most` places; False where none is left for this caller or for this tool."""
        if 2 * self.used >= most and not self._has_one_for(caller, tool, most):
            return False
        self._by_caller[caller] = self._by_caller.get(caller, 0) + 1
        self._by_tool[tool] = self._by_tool.get(tool, 0) + 1
        self.used += 1
        return True

    def give_back(self, caller: str, tool: str) -> None:
        """Give back one that was taken."""
        if caller not in self._by_caller or tool not in self._by_tool:
            return
        self.used -= 1
        _one_less(self._by_caller, caller)
        _one_less(self._by_tool, tool)

    def _has_one_for(self, caller: str, tool: str, most: int) -> bool:
        free = most - self.used
        if free <= 0:
            return False
        by_caller, by_tool = self._by_caller.get(caller, 0), self._by_tool.get(tool, 0)
        return by_caller < min((most + 1) // 2, 3 * free) and by_tool < 3 * free


def _one_less(counts: dict[str, int], key: str) -> None:
    held = counts[key]
    if held > 1:
        counts[key] = held - 1
    else:
        del counts[key]
