"""An answer that came compressed although nobody asked for it, inflated as it is read.

`answers.py` puts it around an upstream's answer, so that all its readers take gzip and deflate, as the official SDKs
do. What comes out counts against the answer's cap, and no step inflates more than a piece: a bomb is refused as soon
as it has filled the cap. Other codings are refused where the head is read (`pool/head.py`, `core.egress.client`).
"""

import zlib
from typing import Final

from core.egress.faults import UpstreamFault
from proxy.upstream.transport import UpstreamAnswer

_PIECE: Final = 64 * 1024
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


class Unpacked:
    """An `UpstreamAnswer` whose body is compressed; at most `cap_bytes` come out of it, of a stream as a whole."""

    def __init__(self, response: UpstreamAnswer, coding: str, cap_bytes: int) -> None:
        self._response, self._cap_bytes, self._left = response, cap_bytes, cap_bytes
        self._gzip = coding != "deflate"
        self._inflate = zlib.decompressobj(_GZIP if self._gzip else _ZLIB)
        self._waiting = b""
        """Compressed bytes that were not inflated yet."""
        self._begun = self._full = False
        """Whether anything came, and whether the last piece was as long as one may be: then more may be at hand."""
        self.status = response.status

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return self._response.header(name)

    async def next_chunk(self) -> bytes:
        """The next bytes of the body, inflated; b"" at its end. Raises UpstreamFault."""
        while True:
            if not self._waiting and not self._full:
                self._waiting = await self._response.next_chunk()
                if not self._waiting:
                    self._judge_end()
                    return b""
            piece = self._inflated()
            if piece:
                return piece

    async def read_capped(self, cap_bytes: int) -> bytes:
        """The whole body if it has at most `cap_bytes`, else UpstreamFault("too_large")."""
        self._left = self._cap_bytes = cap_bytes
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

    def _inflated(self) -> bytes:
        """The next piece of what waits."""
        waiting, first, self._begun = self._waiting, not self._begun, True
        try:
            piece = self._inflate.decompress(waiting, _PIECE)
        except zlib.error as error:
            if self._gzip or not first:
                raise _broken(str(error)) from None
            # Some servers mean by deflate the bare stream, without zlib's frame; clients take both.
            self._inflate = zlib.decompressobj(_RAW)
            return self._inflated()
        self._waiting, self._full = self._inflate.unconsumed_tail, len(piece) == _PIECE
        if self._inflate.eof:
            self._after_end()
        self._left -= len(piece)
        if self._left < 0:
            detail = f"the body is larger than {self._cap_bytes} bytes when it is inflated"
            raise UpstreamFault("too_large", sent=True, detail=detail, figure=self._cap_bytes)
        return piece

    def _after_end(self) -> None:
        """Another member of a gzip file may follow; anything else is nobody's."""
        rest = self._inflate.unused_data
        if self._gzip and rest:
            self._inflate, self._waiting = zlib.decompressobj(_GZIP), rest
        elif rest:
            raise _broken("something stands behind the compressed body")

    def _judge_end(self) -> None:
        if self._begun and not self._inflate.eof:
            raise _broken("it ends within")


def _broken(what: str) -> UpstreamFault:
    return UpstreamFault("broken", sent=True, whole=True, detail=f"the compressed body cannot be inflated: {what}")
