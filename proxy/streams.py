"""The GET streams that this worker holds: one per session, capped."""


class Streams:
    """Open streams by session."""

    def __init__(self) -> None:
        self._open: set[str] = set()

    def open(self, jti: str, most: int) -> bool:
        """Take the session's one place; False where it has a stream, or the worker has `most`."""
        if jti in self._open or len(self._open) >= most:
            return False
        self._open.add(jti)
        return True

    def close(self, jti: str) -> None:
        """Give the place back."""
        self._open.discard(jti)

    def __len__(self) -> int:
        return len(self._open)
