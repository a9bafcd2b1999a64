"""The GET streams that this worker holds: one per session, capped in all and for each principal."""

from proxy.limits.shares import Shares, quarter


class Streams:
    """The open GET streams of one worker: one per session, with a cap for each principal."""

    def __init__(self) -> None:
        self._owner: dict[str, str] = {}
        self._shares = Shares()

    def open(self, jti: str, owner: str, most: int) -> bool:
        """Take the session's one place; False where the worker has `most`, or this principal a quarter of that."""
        if not self._shares.take(owner, 1, most=most, share=quarter(most)):
            return False
        self._owner[jti] = owner
        return True

    def close(self, jti: str) -> None:
        """Give the place back."""
        owner = self._owner.pop(jti, None)
        if owner is not None:
            self._shares.give_back(owner, 1)

    def sessions(self) -> list[str]:
        """The sessions that have a stream, by their jti."""
        return list(self._owner)

    def __contains__(self, jti: str) -> bool:
        """Whether the session has a stream."""
        return jti in self._owner

    def __len__(self) -> int:
        return len(self._owner)
