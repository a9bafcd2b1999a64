"""Answers taken apart from the bytes of a whole connection, by length or by chunks, as strictly as a test wants."""

from dataclasses import dataclass
from typing import Any

from tests.fakes.raw_http import RawAnswer


class BrokenAnswer(AssertionError):
    """What came is no row of whole answers."""


@dataclass(frozen=True, slots=True)
class WholeAnswer:
    """One answer, its body out of its framing."""

    version: str
    status: int
    headers: tuple[tuple[str, str], ...]
    """Names in lower case, in the order in which they came."""
    body: bytes

    def header(self, name: str) -> str | None:
        """The one value of a header; None where it is missing. AssertionError where it came twice."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def says_close(self) -> bool:
        """Whether it is the connection's last by its own word (RFC 9112 section 9.3)."""
        said = (self.header("connection") or "").lower()
        return said == "close" or (self.version == "HTTP/1.0" and said != "keep-alive")

    @property
    def json(self) -> Any:
        import json

        return json.loads(self.body)


def is_refused(answer: WholeAnswer | RawAnswer, status: int) -> bool:
    """An HTTP refusal of ours: the status, a JSON-RPC error without an id, and the request's id."""
    assert answer.status == status, (answer.status, answer.body)
    assert answer.header("content-type") == "application/json"
    assert answer.json["id"] is None
    assert answer.json["error"]["data"]["request_id"] == answer.header("x-request-id")
    return True


def answers_in(raw: bytes, *, head_last: bool = False) -> tuple[list[WholeAnswer], bytes]:
    """The whole answers in what a connection sent, 1xx too, and the beginning of one that is not whole.

    An answer that announces a body and is followed at once by the next has none: it was to a HEAD; with `head_last`
    also one behind which nothing comes. One without any framing takes all that is left.
    Raises BrokenAnswer where the bytes are no HTTP.
    """
    found: list[WholeAnswer] = []
    while raw:
        head, end, rest = raw.partition(b"\r\n\r\n")
        if not end:
            break
        version, status, headers = _head(head)
        framing = dict(headers)
        if "transfer-encoding" in framing and "content-length" in framing:
            raise BrokenAnswer(f"two framings: {head!r}")
        taken = _chunked(rest) if "transfer-encoding" in framing else _counted(rest, status, framing, head_last)
        if taken is None:
            break
        body, raw = taken
        found.append(WholeAnswer(version, status, headers, body))
    return found, raw


def _head(head: bytes) -> tuple[str, int, tuple[tuple[str, str], ...]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) != 3 or words[0] not in {"HTTP/1.0", "HTTP/1.1"} or not words[1].isdigit():
        raise BrokenAnswer(f"no status line: {first!r}")
    pairs = [line.partition(":") for line in lines]
    if any(not colon or not name or name != name.strip() for name, colon, _ in pairs):
        raise BrokenAnswer(f"no header: {lines}")
    return words[0], int(words[1]), tuple((name.lower(), value.strip()) for name, _, value in pairs)


def _counted(rest: bytes, status: int, framing: dict[str, str], head_last: bool) -> tuple[bytes, bytes] | None:
    if status < 200 or status in {204, 304} or rest.startswith(b"HTTP/1.") or (head_last and not rest):
        return b"", rest
    if "content-length" not in framing:
        return rest, b""  # framed by the connection's end
    length = int(framing["content-length"])
    return (rest[:length], rest[length:]) if len(rest) >= length else None


def _chunked(rest: bytes) -> tuple[bytes, bytes] | None:
    parts = []
    while True:
        line, end, rest = rest.partition(b"\r\n")
        if not end:
            return None
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError:
            raise BrokenAnswer(f"no chunk size: {line!r}") from None
        if len(rest) < size + 2:
            return None
        if rest[size : size + 2] != b"\r\n":
            raise BrokenAnswer("a chunk without its end")
        parts.append(rest[:size])
        rest = rest[size + 2 :]
        if not size:
            return b"".join(parts), rest
