"""Byte strings that are almost MCP over HTTP: good requests, and everything that their bytes can be bent to.

`byte_string` draws one from any `random.Random`, so that hypothesis (which shrinks what it draws) and a mutation of
atheris use the same rules. Three words stand for what differs between two runs and are filled in by `lanes.py`:
`{TOKEN}`, `{SESSION}` and `{MARK}`; the last, which stands in bodies, has the length of what replaces it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

Header = tuple[bytes, bytes, bytes, bytes]
"""Name, what stands between, value, end of line."""


@dataclass(slots=True)
class Request:
    """One request before its parts are put together; any part may be nonsense."""

    method: bytes = b"POST"
    target: bytes = b"/v1/mcp/g"
    version: bytes = b"HTTP/1.1"
    space: bytes = b" "
    before: bytes = b""
    headers: list[Header] = field(default_factory=list)
    end: bytes = b"\r\n"
    body: bytes = b""
    framed: bool = False
    """Whether its headers frame it already; else Content-Length is added."""

    def __bytes__(self) -> bytes:
        headers = list(self.headers)
        if self.body and not self.framed:
            headers.append(header(b"Content-Length", b"%d" % len(self.body)))
        line = self.space.join((self.method, self.target, self.version)) + self.end
        return self.before + line + b"".join(b"".join(one) for one in headers) + self.end + self.body


def header(name: bytes, value: bytes) -> Header:
    """A well-formed one."""
    return (name, b": ", value, b"\r\n")


def listed(*pairs: tuple[bytes, bytes]) -> list[Header]:
    """Well-formed ones."""
    return [header(name, value) for name, value in pairs]


USUAL = listed(
    (b"Host", b"127.0.0.1"),
    (b"Authorization", b"Bearer {TOKEN}"),
    (b"Content-Type", b"application/json"),
    (b"Accept", b"application/json, text/event-stream"),
)
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "fuzz", "version": "1"},
}


def rpc(method: str, params: Any = None, **more: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}, **more}).encode()


def modern(method: str, params: dict[str, Any], **meta: Any) -> Request:
    """A 2026-07-28 request."""
    named = listed((b"MCP-Protocol-Version", b"2026-07-28"), (b"Mcp-Method", method.encode()))
    if "name" in params:
        named.append(header(b"Mcp-Name", params["name"].encode()))
    return Request(headers=USUAL + named, body=rpc(method, {**params, "_meta": {**META, **meta}}))


def legacy(body: bytes, *, session: bool = False) -> Request:
    """A request of 2025-11-25."""
    named = listed(
        (b"MCP-Protocol-Version", b"2025-11-25"), *([(b"Mcp-Session-Id", b"{SESSION}")] if session else [])
    )
    return Request(headers=USUAL + named, body=body)


def _get(target: bytes, method: bytes = b"GET") -> Request:
    return Request(method, target, headers=USUAL[:1])


def _call(text: str = "{MARK}") -> Request:
    return modern("tools/call", {"name": "echo", "arguments": {"text": text}})


_HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "fuzz", "version": "1"}}
GOOD: tuple[Callable[[], Request], ...] = (
    _call,
    _call,
    lambda: _call("{MARK}" + "x" * 5000),
    lambda: modern("tools/call", {"name": "told", "arguments": {"text": "{MARK}"}}, progressToken=1),
    lambda: modern("tools/call", {"name": "absent", "arguments": {}}),
    lambda: modern("tools/list", {}),
    lambda: modern("server/discover", {}),
    lambda: legacy(rpc("ping")),
    lambda: legacy(rpc("initialize", _HELLO)),
    lambda: legacy(rpc("tools/call", {"name": "echo", "arguments": {"text": "{MARK}"}}), session=True),
    lambda: legacy(rpc("ping"), session=True),
    lambda: legacy(b'{"jsonrpc":"2.0","method":"notifications/initialized"}', session=True),
    lambda: Request(b"DELETE", headers=USUAL[:2] + listed((b"Mcp-Session-Id", b"{SESSION}"))),
    lambda: _get(b"/health"),
    lambda: _get(b"/health", b"HEAD"),
    lambda: _get(b"/ready"),
    lambda: _get(b"/.well-known/oauth-protected-resource/v1/mcp/g"),
    lambda: Request(b"GET", headers=USUAL[:2] + listed((b"Accept", b"text/event-stream"))),
    lambda: Request(
        b"OPTIONS",
        headers=USUAL[:1]
        + listed((b"Origin", b"http://127.0.0.1:8080"), (b"Access-Control-Request-Method", b"POST")),
    ),
)

METHODS = (b"GET", b"HEAD", b"POST", b"DELETE", b"OPTIONS", b"PUT", b"PATCH", b"post", b"TRACE", b"CONNECT", b"PRI",
           b"SOURCE", b"M-SEARCH", b"P(ST", b"", b"X" * 40)  # fmt: skip
TARGETS = (
    b"/v1/mcp/g", b"/v1/mcp/absent", b"/v1/mcp/g/", b"/v1/mcp/g?x=1", b"/v1/mcp/g#x", b"/v1/mcp/%67", b"//v1/mcp/g",
    b"/v1/mcp/../mcp/g", b"/v1/mcp/G", b"/health", b"/health?x", b"/ready", b"/", b"*", b"", b"v1/mcp/g",
    b"http://127.0.0.1/v1/mcp/g", b"http://127.0.0.1/health", b"http://evil.example/v1/mcp/g", b"http://[::1/v1/mcp/g",
    b"127.0.0.1:80", b"/v1/mcp/g\x00", b"/v1/mcp/\xc3\xa9", b"/v1/mcp/g\x7f", b"/v1/mcp/g h", b"/v1/mcp/g\tx",
    b"/" + b"a" * 8100, b"/" + b"a" * 9000, b"/.well-known/oauth-protected-resource/v1/mcp/g/../x", b"/v1/mcp/g;x",
)  # fmt: skip
VERSIONS = (b"HTTP/1.0", b"HTTP/1.1", b"HTTP/0.9", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/2", b"http/1.1", b"HTTP/1.1 ",
            b"HTTP/1.10", b"HTTP/11", b"HTP/1.1", b"", b"RTSP/1.0", b"ICE/1.0", b"HTTP/1.1\t")  # fmt: skip
EXTRA = listed(
    (b"Connection", b"close"), (b"Connection", b"keep-alive"), (b"Connection", b"Keep-Alive, Close"),
    (b"Connection", b"upgrade"), (b"Connection", b"Authorization"), (b"Proxy-Connection", b"close"),
    (b"Connection", b""), (b"Connection", b"close, upgrade"), (b"Keep-Alive", b"timeout=5"),
    (b"Upgrade", b"h2c"), (b"Upgrade", b"websocket"), (b"HTTP2-Settings", b"AAMAAABkAAQ"),
    (b"Expect", b"100-continue"), (b"Expect", b"nonsense"), (b"Content-Encoding", b"gzip"),
    (b"Content-Encoding", b"identity"), (b"Content-Encoding", b"deflate"),
    (b"Content-Length", b"0"), (b"Content-Length", b"5"), (b"Content-Length", b"+5"), (b"Content-Length", b"-5"),
    (b"Content-Length", b"5, 5"), (b"Content-Length", b""), (b"Content-Length", b"0x5"), (b"Content-Length", b"5 5"),
    (b"Content-Length", b"99999999999999999999"), (b"Content-Length", b"99999999"), (b"Content-Length", b"007"),
    (b"Transfer-Encoding", b"chunked"), (b"Transfer-Encoding", b"Chunked"), (b"Transfer-Encoding", b"identity"),
    (b"Transfer-Encoding", b"xchunked"), (b"Transfer-Encoding", b"chunked, identity"),
    (b"Transfer-Encoding", b"gzip, chunked"), (b"Transfer-Encoding", b"\x0bchunked"), (b"Transfer-Encoding", b""),
    (b"Transfer-Encoding", b"chunked;a=b"), (b"Transfer_Encoding", b"chunked"), (b"TE", b"trailers"),
    (b"Trailer", b"Authorization"), (b"Host", b"evil.example"), (b"Host", b"127.0.0.1"), (b"Host", b""),
    (b"Host", b"localhost:99999"), (b"Host", b"127.0.0.1, evil"), (b"Host", b"[::1]"), (b"Host", b"127.0.0.1."),
    (b"Origin", b"http://127.0.0.1:8080"), (b"Origin", b"null"), (b"Origin", b"http://evil.example"),
    (b"Authorization", b"Bearer {TOKEN}"), (b"Authorization", b"Bearer wrong"), (b"Authorization", b"Basic eDp5"),
    (b"Authorization", b""), (b"authorization", b"bearer {TOKEN}"), (b"X-Forwarded-For", b"10.0.0.1"),
    (b"X-Tenant", b"blue"), (b"X-Tenant", b"caf\xc3\xa9"), (b"X_Tenant", b"red"), (b"Mcp-Method", b"tools/list"),
    (b"Mcp-Name", b"other"), (b"Mcp-Session-Id", b"{SESSION}"), (b"Mcp-Session-Id", b"nonsense"),
    (b"MCP-Protocol-Version", b"2025-03-26"), (b"MCP-Protocol-Version", b"1999-01-01"), (b"Accept", b"*/*"),
    (b"Accept", b"text/html"), (b"Content-Type", b"text/plain"),
    (b"Content-Type", b"application/json; charset=utf-8"),
    (b"Cookie", b"a=b"), (b"Sec-WebSocket-Key1", b"x"), (b"X-Long", b"a" * 8000), (b"X-Long", b"a" * 9000),
    (b"", b"x"), (b"X Y", b"z"), (b"X:", b"z"), (b"X\x00", b"z"), (b"\xc3\xa9", b"z"), (b"(x)", b"z"),
)  # fmt: skip
EXTRA += [(name, b"", b"", b"\r\n") for name in (b"Authorization", b"Accept", b"Origin", b"X-Tenant")]  # no colon
VALUES = (b"", b" ", b"\t", b"a\x00b", b"a\x01b", b"a\x7fb", b"a\x80b", b"a\xffb", b"\xc3\xa9", b"a\rb", b"a\nb",
          b"a\r\n b", b"a\r\n\tb", b" a", b"a ", b"\ta\t", b"a, b", b'"a', b"a" * 300)  # fmt: skip
BETWEEN = (b":", b":  ", b" : ", b":\t", b"\t:", b"", b"=", b": \t ", b":\r\n ", b":\x0b")
ENDS = (b"\r\n", b"\n", b"\r", b"\r\r\n", b" \r\n", b"\x00\r\n", b"\n\r\n", b"\r\n\r\n")
BODIES = (
    b"", b"{}", b"[]", b"null", b"nonsense", b"\xff\xfe", b"\xef\xbb\xbf" + rpc("ping"), b" " + rpc("ping") + b"\n",
    rpc("ping", id=None), rpc("ping", id=1.5), rpc("ping", id="\u00e9"), rpc("ping", id=[1]), rpc("nonsense"),
    b"[" + rpc("ping") + b"]", b'{"jsonrpc":"2.0","id":1,"result":{}}', b'{"jsonrpc":"2.0","method":"x"}',
    b'{"jsonrpc":"1.0","id":1,"method":"ping"}', b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[' + b"[" * 70 + b"]" * 70 + b"]}",
    b'{"jsonrpc":"2.0","id":1e400,"method":"ping"}', b"{" * 100, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
)  # fmt: skip
CHUNK_LINES = (
    b"%x",
    b"%X",
    b"0%x",
    b"%x;a=b",
    b'%x;a="b;c"',
    b"%x ",
    b"%x;",
    b"0x%x",
    b"+%x",
    b"%x\t",
    b"%x;\na",
    b"%xg",
)
TRAILERS = (b"", b"X: y\r\n", b"Authorization: Bearer {TOKEN}\r\n", b"Host: evil\r\n", b"Content-Length: 5\r\n",
            b"Mcp-Method: tools/list\r\n", b"no colon\r\n", b"X: a\x80\r\n", b"X: y\n", b" folded\r\n",
            b"".join(b"X-%d: 1\r\n" % n for n in range(120)))  # fmt: skip


def _line(r: Request, rnd: Random) -> None:
    part = rnd.choice(("method", "target", "version", "space", "before", "end"))
    values = {
        "method": METHODS,
        "target": TARGETS,
        "version": VERSIONS,
        "space": (b"  ", b"\t", b"", b" \t", b"\x0c"),
        "before": (b"\r\n", b"\r\n\r\n", b"\n", b" ", b"\x00", b"x", b"\r", b"\x16\x03\x01"),
        "end": ENDS,
    }[part]
    setattr(r, part, rnd.choice(values))


def _add(r: Request, rnd: Random) -> None:
    r.headers.insert(rnd.randrange(len(r.headers) + 1), rnd.choice(EXTRA))


def _bend(r: Request, rnd: Random) -> None:
    """One header, in one of its parts."""
    if not r.headers:
        return
    at = rnd.randrange(len(r.headers))
    name, between, value, end = r.headers[at]
    how = rnd.randrange(6)
    if how == 0:
        name = rnd.choice(
            (name.upper(), name.lower(), name.swapcase(), name.replace(b"-", b"_"), name + b" ", b" " + name)
        )
    elif how == 1:
        between = rnd.choice(BETWEEN)
    elif how == 2:
        end = rnd.choice(ENDS)
    elif how == 3:
        value = rnd.choice(VALUES)
    elif how == 4:
        value = rnd.choice((value + b" ", b" " + value, value + b"\t", value.upper(), value + rnd.choice(VALUES)))
    else:
        value = value[: rnd.randrange(len(value) + 1)]
    r.headers[at] = (name, between, value, end)


def _repeat(r: Request, rnd: Random) -> None:
    if r.headers:
        r.headers.insert(rnd.randrange(len(r.headers) + 1), rnd.choice(r.headers))


def _drop(r: Request, rnd: Random) -> None:
    if r.headers:
        del r.headers[rnd.randrange(len(r.headers))]


def _many(r: Request, rnd: Random) -> None:
    number = rnd.choice((80, 90, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 130)) - len(r.headers)
    r.headers += [header(b"X-%d" % one, b"1") for one in range(number)]


def _other_body(r: Request, rnd: Random) -> None:
    r.body = rnd.choice(BODIES)


def _other_length(r: Request, rnd: Random) -> None:
    """A length that is not the body's, or one that is written in another way."""
    length = len(r.body)
    told = rnd.choice(
        (b"%d" % (length + rnd.choice((-5, -1, 1, 3))), b"0%d" % length, b" %d " % length, b"%d;" % length)
    )
    r.headers.append(header(b"Content-Length", told))
    r.framed = True


def _chunk(r: Request, rnd: Random) -> None:
    """The body in chunks, mostly right."""
    if r.framed:
        return
    strange = rnd.random() < 0.3
    size = max(rnd.choice((1, 7, 64, 1000)), len(r.body) // 100)  # aiohttp takes so many small chunks and no more
    parts = [r.body[at : at + size] for at in range(0, len(r.body), size)]
    line, end = (rnd.choice(CHUNK_LINES), rnd.choice(ENDS)) if strange else (b"%x", b"\r\n")
    usual, bent = b"%x\r\n%b\r\n", line + end + b"%b" + rnd.choice((b"\r\n", b"\n", b"", b"x\r\n"))
    place = rnd.randrange(len(parts)) if parts else 0
    chunks = [(bent if strange and at == place else usual) % (len(part), part) for at, part in enumerate(parts)]
    last = rnd.choice((b"0\r\n", b"00\r\n", b"0;x\r\n", b"0\n")) if strange else b"0\r\n"
    r.body = b"".join(chunks) + last + (rnd.choice(TRAILERS) if rnd.random() < 0.3 else b"") + b"\r\n"
    r.headers.append(header(b"Transfer-Encoding", b"chunked"))
    r.framed = True


SOFT = listed(
    (b"Connection", b"close"), (b"Connection", b"keep-alive"), (b"Connection", b"Keep-Alive"), (b"TE", b"trailers"),
    (b"Connection", b"close, x-a"), (b"Connection", b"X-Tenant"), (b"Expect", b"100-continue"),
    (b"Upgrade", b"h2c"), (b"Cookie", b"a=b"), (b"Cookie", b"c=d"), (b"X-Forwarded-For", b"10.0.0.1"),
    (b"X-Tenant", b"blue"), (b"Accept", b"*/*"), (b"User-Agent", b"f"),
    (b"Origin", b"http://127.0.0.1:8080"), (b"X-A", b""),
    (b"Content-Encoding", b"identity"), (b"Keep-Alive", b"timeout=5"), (b"Cache-Control", b"no-cache"),
    (b"Via", b"1.1 a"), (b"Via", b"1.1 b"), (b"X-Tenant", b"a b\tc"), (b"Max-Forwards", b"0"), (b"Date", b"x"),
)  # fmt: skip
"""Headers that a good request may have."""


def gentle(r: Request, rnd: Random) -> None:
    """A request that means the same, or nearly, written in another way."""
    how = rnd.randrange(6)
    at = rnd.randrange(len(r.headers)) if r.headers else 0
    if how <= 1 or not r.headers:
        r.headers.insert(at, rnd.choice(SOFT))
    elif how == 2:
        name, _, value, end = r.headers[at]
        r.headers[at] = (
            name,
            rnd.choice((b":", b":  ", b":\t", b": \t ")),
            value + rnd.choice((b"", b" ", b"\t")),
            end,
        )
    elif how == 3:
        name, *more = r.headers[at]
        r.headers[at] = (rnd.choice((name.upper(), name.lower(), name.swapcase())), *more)  # type: ignore[assignment]
    elif how == 4:
        r.version = rnd.choice((b"HTTP/1.0", b"HTTP/1.1"))
    else:
        rnd.shuffle(r.headers)


HARSH = (_line, _add, _add, _bend, _bend, _repeat, _drop, _many, _other_body, _other_body, _other_length, _chunk)


def request(rnd: Random) -> bytes:
    """One request: good in half of the cases, harshly bent in a sixth."""
    made = rnd.choice(GOOD)()
    made.headers = list(made.headers)
    how = rnd.randrange(6)
    for _ in range(rnd.choice((1, 1, 2)) if how in {0, 1, 2} else 0):
        gentle(made, rnd)
    if how == 1:
        _chunk(made, rnd)
    if how == 5:
        for _ in range(rnd.choice((1, 1, 1, 2, 3))):
            rnd.choice(HARSH)(made, rnd)
    return bytes(made)


def byte_string(rnd: Random) -> bytes:
    """What one connection sends: one to five requests, seldom with a byte that fell out or in."""
    raw = b"".join(request(rnd) for _ in range(rnd.choice((1, 2, 2, 3, 3, 4, 5))))
    return scratched(raw, rnd) if rnd.random() < 0.1 else raw


def scratched(raw: bytes, rnd: Random) -> bytes:
    """One byte changed, lost, or come in; or all behind it lost."""
    at = rnd.randrange(len(raw) + 1)
    byte = rnd.choice((b"\x00", b"\r", b"\n", b" ", b":", b"\x80", b"\xff", b"0", b"a", b"\t", b"\r\n\r\n"))
    return rnd.choice(
        (raw[:at] + byte + raw[at + 1 :], raw[:at] + raw[at + 1 :], raw[:at] + byte + raw[at:], raw[:at])
    )
