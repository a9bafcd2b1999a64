"""Places at one server: how many calls may be with it at once, and how many of them of one caller or of one tool.

Counts only; `usage` has one of these for each server, `apply_limits` says what a caller is told who gets no place. A
tool that hangs keeps what it is given, so neither it nor a caller is ever given the last places: beyond half of them,
each may have three times what is left free. One that hangs leaves a quarter, two a seventh, ten a thirty-first.
"""


class ServerPlaces:
    """The places at one server that are taken, by caller and tool."""

    __slots__ = ("_by_line", "used")

    def __init__(self) -> None:
        self.used = 0
        """By all together."""
        self._by_line: dict[tuple[str, str], int] = {}

    def take(self, caller: str, tool: str, most: int) -> bool:
        """Take one of `most` places; False where none is left for this caller or for this tool."""
        if 2 * self.used >= most and not self._has_one_for(caller, tool, most):
            return False
        line = (caller, tool)
        self._by_line[line] = self._by_line.get(line, 0) + 1
        self.used += 1
        return True

    def give_back(self, caller: str, tool: str) -> None:
        """Give one back."""
        line = (caller, tool)
        held = self._by_line.get(line)
        if held is None:
            return
        self.used -= 1
        if held > 1:
            self._by_line[line] = held - 1
        else:
            del self._by_line[line]

    def _has_one_for(self, caller: str, tool: str, most: int) -> bool:
        free = most - self.used
        if free <= 0:
            return False
        callers = sum(held for (whose, _), held in self._by_line.items() if whose == caller)
        tools = sum(held for (_, which), held in self._by_line.items() if which == tool)
        return callers < min((most + 1) // 2, 3 * free) and tools < 3 * free
