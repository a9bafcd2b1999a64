"""A transport to nobody, for programs of the bench that feed connections by hand (`bench/rig.py`)."""

import socket


class Written:
    """A transport that keeps what was written last."""

    def __init__(self, peer: tuple[str, int] | None = None) -> None:
        self.data: bytes | None = None
        self._peer = peer
        self._ends = socket.socketpair()

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.data = data

    def get_extra_info(self, name: str) -> object:
        """The peer, or a socket on which nothing ever comes."""
        return self._peer if name == "peername" else self._ends[0] if name == "socket" else None

    def is_closing(self) -> bool:
        """Never."""
        return False

    def get_write_buffer_size(self) -> int:
        """All is out at once."""
        return 0

    def pause_reading(self) -> None:
        """Nothing is read here."""

    resume_reading = pause_reading

    def abort(self) -> None:
        """Nothing may end in a bench."""
        raise RuntimeError("a connection was ended")

    close = abort
