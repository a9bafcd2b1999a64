import asyncio

import pytest

from proxy.edge import writing
from proxy.edge.writing import within, write_pieces


class Caller:
    """A request whose connection can be cut, and a response that keeps what is written."""

    def __init__(self) -> None:
        self.transport, self.aborted, self.pieces = self, False, list[bytes]()

    def abort(self) -> None:
        self.aborted = True

    async def write(self, piece: bytes) -> None:
        self.pieces.append(bytes(piece))


async def test_a_write_that_is_not_taken_in_time_cuts_the_connection() -> None:
    caller = Caller()
    with pytest.raises(ConnectionResetError):
        await within(0.01, caller, asyncio.Event().wait())  # type: ignore[arg-type]  # its transport alone
    assert caller.aborted


@pytest.mark.parametrize("size", [0, 4, 5, 9])
async def test_a_body_is_written_whole_in_pieces(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "PIECE", 4)
    caller, body = Caller(), bytes(range(size))
    await write_pieces(1.0, caller, caller, body)  # type: ignore[arg-type]  # its transport and write alone
    assert b"".join(caller.pieces) == body
    assert max(map(len, caller.pieces)) <= 4
    assert not caller.aborted
