"""A request as bytes: where it goes, taken apart once per URL, and its head, written from judged names and values.

`pool` uses it. What is left out: which headers a request has (`outbound`), and when it is sent.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from core.egress.addresses import PublicUrl
from core.egress.faults import UpstreamFault
from core.egress.header_grammar import NAME, VALUE, WRITTEN_BY_CLIENTS
from core.egress.held import Held, HeldUrl
from core.egress.own_servers import RuntimeUrl

_MAX_NAMES = 1000
_NAME = re.compile(NAME)
_VALUE = re.compile(VALUE)
_AGENT = b"user-agent: archway\r\n"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests for one URL go: its URL taken apart, once."""

    origin: str
    """Scheme, host and port, whether it is a server of ours, and what its address is held to: requests may share a
    connection only where these are equal.
    """
    host: str
    """Name or address, without brackets."""
    port: int
    tls: bool
    start: str
    """What stands between the method and the headers that differ."""
    own: bool = False
    """Whether it is a server that Archway runs, which may be where others may not."""
    held: Held | None = None
    """To what the address is held besides."""


def target_of(url: PublicUrl) -> Target:
    """Takes a URL apart. Raises UpstreamFault for one that `check_url` would not have passed."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        host = parts.hostname or ""
    except (ValueError, KeyError):
        raise _no_url(url) from None
    if not host or "@" in parts.netloc or not url.isascii() or not url.isprintable() or " " in url:
        raise _no_url(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    start = f" {path} HTTP/1.1\r\nhost: {parts.netloc}\r\naccept-encoding: identity\r\n"
    own = isinstance(url, RuntimeUrl)
    held = url.held if isinstance(url, HeldUrl) else None
    origin = _told_apart(f"{parts.scheme}://{host}:{port}", url)
    return Target(origin, host, port, parts.scheme == "https", start, own, held)


def name_of(url: PublicUrl) -> str:
    """By which the target of a URL is remembered: texts are equal only where targets are."""
    return _told_apart(url, url)


def _told_apart(name: str, url: PublicUrl) -> str:
    """With what the connections to a URL have been opened under, which stands in no URL."""
    if isinstance(url, RuntimeUrl):
        return f"ours at {name}"
    return f"{name} held to {url.held.key}" if isinstance(url, HeldUrl) else name


def _no_url(url: str) -> UpstreamFault:
    return UpstreamFault("refused", sent=False, detail=f"InvalidUrl: {url!a}")


class PreparedHead:
    """A head that many requests share, up to what differs: further headers, and the length of the body."""

    __slots__ = ("data", "names_agent", "target")

    def __init__(self, target: Target, data: bytes, *, names_agent: bool) -> None:
        self.target, self.data, self.names_agent = target, data, names_agent


class RequestWriter:
    """Writes requests. Remembers the names of headers that it has judged, at most 1000."""

    def __init__(self) -> None:
        self._lines: dict[str, str] = {}

    def write(self, method: str, target: Target, headers: Mapping[str, str], body: bytes | None) -> bytes:
        """The bytes. Header names are lower case, values visible ASCII, spaces and tabs; else ValueError."""
        if body is not None:
            return self.finish(self.prepare(method, target, headers), {}, body)
        agent = b"" if "user-agent" in headers else _AGENT
        return b"%b%b%b\r\n" % (f"{method}{target.start}".encode("ascii"), self._written(headers), agent)

    def prepare(self, method: str, target: Target, headers: Mapping[str, str]) -> PreparedHead:
        """The part that is the same in many requests with a body. Raises as `write`."""
        data = f"{method}{target.start}".encode("ascii") + self._written(headers)
        return PreparedHead(target, data, names_agent="user-agent" in headers)

    def finish(self, head: PreparedHead, more: Mapping[str, str], body: bytes) -> bytes:
        """The bytes of one request; `more` are headers that are not in the head. Raises as `write`."""
        return b"%b%d\r\n\r\n%b" % (self.up_to_length(head, more), len(body), body)

    def up_to_length(self, head: PreparedHead, more: Mapping[str, str], says: str = "") -> bytes:
        """As `finish`, up to the length of the body; with `says` up to the value of this header, before that."""
        agent = b"" if head.names_agent or "user-agent" in more else _AGENT
        lines = self._written(more) if more else b""
        last = b"content-length: " if not says else self._judged(says).encode("ascii")
        return b"%b%b%b%b" % (head.data, lines, agent, last)

    def _written(self, headers: Mapping[str, str]) -> bytes:
        lines, parts = self._lines, []
        for name, value in headers.items():
            parts.append(lines.get(name) or self._judged(name))
            parts.append(value)
            parts.append("\r\n")
        values = "".join(headers.values())
        if not (values.isascii() and values.isprintable()):
            _judge_values(headers)
        return "".join(parts).encode("ascii")

    def _judged(self, name: str) -> str:
        if _NAME.fullmatch(name) is None or name != name.lower() or name in WRITTEN_BY_CLIENTS:
            raise ValueError(
                f"header {name!r} must not be sent: not a header name in lower case, or written by the client itself"
            )
        line = f"{name}: "
        if len(self._lines) < _MAX_NAMES:
            self._lines[name] = line
        return line


def _judge_values(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not _VALUE.fullmatch(value):
            raise ValueError(f"header {name!r} has a character outside visible ASCII; encode its value")
