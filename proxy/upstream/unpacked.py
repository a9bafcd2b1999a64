"""An answer that came compressed although nobody asked for it, inflated as it is read.

`answers.py` puts it around an upstream's answer, so that all its readers take gzip and deflate, as the official SDKs
do. What comes out counts against the answer's cap, and so does what goes in: much may inflate to nothing. No step
takes or gives more than a piece: a bomb is refused as soon as it has filled the cap. Other codings are refused where
the head is read (`pool/head.py`, `core.egress.client`).
"""

import zlib
from typing import Final

from core.egress.faults import UpstreamFault
from proxy.upstream.transport import UpstreamAnswer

_PIECE: Final = 64 * 1024
_STEP: Final = 16 * 1024
"""Compressed bytes that are inflated at once; zlib copies what is left of them, each time."""
MAX_MEMBERS: Final = 256
"""Of one gzip body; those who cut it at each 64 KiB need so many for an answer of 16 MiB."""
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


class Unpacked:
    """An `UpstreamAnswer` whose body is compressed; at most `cap_bytes` come out of it, of a stream as a whole."""

    def __init__(self, response: UpstreamAnswer, coding: str, cap_bytes: int) -> None:
        self._response = response
        self._set_cap(cap_bytes)
        self._gzip = coding != "deflate"
        self._inflate: zlib._Decompress | None = None
        """Of the member that is read; none before anything came."""
        self._members = self._of_member = 0
        """Members that were begun, and the bytes that came out of the last one."""
        self._chunk, self._at = b"", 0
        """What came last, and how much of it is inflated."""
        self._full = False
        """Whether the last piece was as long as one may be: then more may be at hand."""
        self.status = response.status

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return self._response.header(name)

    async def next_chunk(self) -> bytes:
        """The next bytes of the body, inflated; b"" at its end. Raises UpstreamFault."""
        while True:
            if self._at == len(self._chunk) and not self._full:
                self._chunk, self._at = await self._response.next_chunk(), 0
                if not self._chunk:
                    self._judge_end()
                    return b""
            piece = self._inflated()
            if piece:
                return piece

    async def read_capped(self, cap_bytes: int) -> bytes:
        """The whole body if it has at most `cap_bytes`, else UpstreamFault("too_large")."""
        self._set_cap(cap_bytes)
        body = bytearray()
        while piece := await self.next_chunk():
            body += piece
        return bytes(body)

    def never_reuse(self) -> None:
        """Close the connection at the end of the request."""
        self._response.never_reuse()

    def may_be_left(self, *, all_read: bool) -> None:
        """What was read may be followed by the end of the compression: leave the connection alone with it."""
        self._response.never_reuse()

    def _set_cap(self, cap_bytes: int) -> None:
        self._cap_bytes = self._left = cap_bytes
        self._left_packed = cap_bytes + (cap_bytes >> 10) + 1024  # what cannot be compressed grows by its frame

    def _inflated(self) -> bytes:
        """The next piece of what came."""
        given = self._chunk[self._at : self._at + _STEP]
        inflate = self._inflate
        if inflate is None or inflate.eof:
            inflate = self._inflate = self._next_member(given[0])
        try:
            piece = inflate.decompress(given, _PIECE)
        except zlib.error as error:
            raise _broken(str(error)) from None
        used = len(given) - len(inflate.unused_data if inflate.eof else inflate.unconsumed_tail)
        self._at += used
        self._full = len(piece) == _PIECE and not inflate.eof
        self._of_member += len(piece)
        self._left -= len(piece)
        self._left_packed -= used
        if self._left < 0:
            raise self._too_large("when it is inflated")
        if self._left_packed < 0:
            raise self._too_large("compressed as it is")
        return piece

    def _next_member(self, first_byte: int) -> "zlib._Decompress":
        """Begin the body, or another member of a gzip file; anything else behind the end is nobody's."""
        if self._members and not self._gzip:
            raise _broken("something stands behind the compressed body")
        if self._members and not self._of_member:
            raise _broken("a part of it holds nothing, and others follow")
        if self._members == MAX_MEMBERS:
            raise _broken(f"it has more than {MAX_MEMBERS} parts")
        self._members += 1
        self._of_member = 0
        if self._gzip:
            return zlib.decompressobj(_GZIP)
        # Some servers mean by deflate the bare stream, without zlib's frame; clients take both. A frame's first byte
        # ends in 8 (RFC 1950), as a bare stream's never does: those bits would be a stored block's padding, not 0.
        return zlib.decompressobj(_ZLIB if first_byte & 0x0F == 8 else _RAW)

    def _judge_end(self) -> None:
        if self._inflate is not None and not self._inflate.eof:
            raise _broken("it ends within")

    def _too_large(self, how: str) -> UpstreamFault:
        detail = f"the body is larger than {self._cap_bytes} bytes {how}"
        return UpstreamFault("too_large", sent=True, detail=detail, figure=self._cap_bytes)


def _broken(what: str) -> UpstreamFault:
    return UpstreamFault("broken", sent=True, whole=True, detail=f"the compressed body cannot be inflated: {what}")
