"""Places at one server: how many calls may be with it at once, and how many of them of one caller or of one tool.

Counts only; `usage` has one of these for each server, `apply_limits` says what a caller is told who gets no place. A
tool that hangs keeps what it is given, so neither it nor a caller is ever given the last places: beyond half of them,
each may have three times what is left free. One that hangs leaves a quarter, two a seventh, ten a thirty-first.
"""

from proxy.limits.shares import Share, Shares


class ServerPlaces:
    """The places at one server that are taken, by caller and tool."""

    __slots__ = ("callers", "tools", "used")

    def __init__(self) -> None:
        self.used = 0
        """By all together."""
        self.callers, self.tools = Shares(), Shares()
        """The same by caller and by tool; their own sums are not kept."""

    def take(self, caller: str, tool: str, most: int) -> bool:
        """Take one of `most` places; False where none is left for this caller or for this tool."""
        by_caller, by_tool = self.callers.share(caller), self.tools.share(tool)
        if 2 * self.used >= most and not self.has_one_for(by_caller, by_tool, most):
            return False
        by_caller.used += 1
        by_tool.used += 1
        self.used += 1
        return True

    def give_back(self, caller: str, tool: str) -> None:
        """Give back one that was taken."""
        by_caller, by_tool = self.callers.share(caller), self.tools.share(tool)
        if by_caller.used and by_tool.used:
            by_caller.used -= 1
            by_tool.used -= 1
            self.used -= 1

    def has_one_for(self, caller: Share, tool: Share, most: int) -> bool:
        """Whether one is left for them, when half of the places are taken."""
        free = most - self.used
        if free <= 0:
            return False
        return caller.used < min((most + 1) // 2, 3 * free) and tool.used < 3 * free
