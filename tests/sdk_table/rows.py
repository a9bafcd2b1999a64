"""What real servers send that is odd: a row for each, and the server that sends it.

`ROWS` by name; `OddServer.answers` is a script for `ScriptedUpstream` that plays the row named by the path
of a request (`/NAME/mcp`) when its tool is called, and else is a plain legacy server with a session.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from tests.fakes.scripted_upstream import CLOSE, Step, head, ok

JSON, SSE = b"Content-Type: application/json", b"Content-Type: text/event-stream"
BOM = b"\xef\xbb\xbf"
HALF = "\ufffd"
LOG = b'{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}'
TOLD = b'{"content":[{"type":"text","text":"%b"}]}'
FINE = TOLD % b"fine"
LOST = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"%b"}}'

Played = Callable[[bytes], Sequence[Step]]
"""From the id of the request, as it stands in JSON, to what is sent."""


@dataclass(frozen=True)
class Row:
    """One odd thing. `result`: what the caller gets, as JSON text; None where the gateway refuses it."""

    plays: Played
    result: bytes | None = FINE
    session: bytes = b"s-1"
    why_not: str = ""
    """Why the gateway does not take what an SDK takes."""
    loses: bytes = b""
    """What the first call alone gets instead: its session was lost."""


def message(number: bytes, result: bytes = FINE) -> bytes:
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (number, result)


def event(text: bytes, kind: bytes = b"") -> bytes:
    return (b"event: %b\n" % kind if kind else b"") + b"data: %b\n\n" % text


def body(result: bytes, taken: bytes | None = None, **fields: str) -> Row:
    """A row whose oddity is in the result; `taken`: what becomes of it, if that is something else."""
    return Row(lambda number: [ok(message(number, result), JSON)], taken or result, **fields)  # type: ignore[arg-type]  # texts


def stream(before: bytes) -> Row:
    """A row of a stream with something before its answer."""
    return Row(lambda number: [ok(before + event(message(number)), SSE)])


def status(line: bytes) -> Row:
    return Row(lambda number: [ok(message(number), JSON, status=line)])


def packed(coding: bytes, pack: Callable[[bytes], bytes], **fields: object) -> Row:
    return Row(lambda number: [ok(pack(message(number)), JSON, b"Content-Encoding: " + coding)], **fields)  # type: ignore[arg-type]  # of a Row


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def brotli(data: bytes) -> bytes:
    """Not compressed within, but framed as RFC 7932 says: one uncompressed block, and the empty last one."""
    return ((len(data) - 1) << 4 | 1 << 20).to_bytes(3, "little") + data + b"\x03"


def structured(value: bytes, taken: bytes | None = None, **fields: str) -> Row:
    def result(one: bytes) -> bytes:
        return b'{"content":[],"structuredContent":{"a":%b}}' % one

    return body(result(value), result(taken) if taken else None, **fields)


def redirect(line: bytes) -> Row:
    return Row(
        lambda _: [ok(b"", b"Location: /plain/mcp", status=line)],
        None,
        why_not="It is offered when a server is entered, and followed at no call: a credential goes nowhere else.",
    )


def lost(line: bytes, text: bytes, kind: bytes = JSON) -> Row:
    return Row(body(FINE).plays, loses=ok(text, kind, status=line))


ROWS: dict[str, Row] = {
    "plain": body(FINE),
    "plain-stream": stream(b""),
    # Events
    "ping-event": stream(event(b"2026-11-28 09:00:00", b"ping")),
    "heartbeat-event": stream(event(b"{}", b"heartbeat")),
    "endpoint-event": stream(event(b"/messages?session=1", b"endpoint")),
    "unnamed-text": stream(event(b"hello")),
    "unnamed-json": stream(event(b'{"hello":1}') + event(b"null")),
    "comments-and-ids": stream(b": hi\n\nid: 7\nretry: 5\n\nid: 8\ndata:\n\n"),
    "log-before": stream(event(LOG)),
    "another-id-before": stream(event(message(b"77", b'{"content":[{"type":"text","text":"foreign"}]}'))),
    "no-last-line-end": Row(lambda number: [ok(b"event: message\r\ndata: %b\r\n\r\n: end" % message(number), SSE)]),
    "two-answers": Row(lambda number: [ok(event(message(number)) + event(message(number, b'{"content":[]}')), SSE)]),
    # Bytes
    "mark-before-json": Row(lambda number: [ok(BOM + message(number), JSON)]),
    "mark-before-stream": Row(lambda number: [ok(BOM + event(message(number)), SSE)]),
    "gzip": packed(b"gzip", gzip.compress),
    "gzip-stream": Row(lambda number: [ok(gzip.compress(event(message(number))), SSE, b"Content-Encoding: gzip")]),
    "deflate": packed(b"deflate", zlib.compress),
    "bare-deflate": packed(b"deflate", bare_deflate),
    "brotli": packed(
        b"br", brotli, result=None, why_not="Nobody asked for it, and it would need a library, unlike gzip."
    ),
    "packed-twice": packed(
        b"gzip, gzip", lambda data: gzip.compress(gzip.compress(data)), result=None, why_not="No server does it."
    ),
    "cut-utf-8": structured(b'"a\xf0\x9f"', f'"a{HALF}"'.encode()),
    # Status and head
    "status-201": status(b"201 Created"),
    "status-202": status(b"202 Accepted"),
    "status-203": status(b"203 Non-Authoritative Information"),
    "stream-at-202": Row(lambda number: [ok(event(message(number)), SSE, status=b"202 Accepted")]),
    "text-plain": Row(lambda number: [ok(message(number), b"Content-Type: text/plain")]),
    "no-type": Row(lambda number: [ok(message(number))]),
    "long-line": Row(lambda number: [ok(message(number), JSON, b"X-Policy: " + b"p" * 12_000)]),
    "no-length": Row(lambda number: [head(JSON, b"Connection: close"), message(number), CLOSE]),
    "redirect-307": redirect(b"307 Temporary Redirect"),
    "redirect-308": redirect(b"308 Permanent Redirect"),
    # Ids and envelopes
    "id-as-text": Row(lambda number: [ok(message(b'"%b"' % number), JSON)]),
    "id-as-text-in-stream": Row(lambda number: [ok(event(message(b'"%b"' % number)), SSE)]),
    "id-as-float": Row(lambda number: [ok(message(b"%b.0" % number), JSON)]),
    "list-of-messages": Row(lambda number: [ok(b"[%b]" % message(number), JSON)]),
    "more-members": Row(lambda number: [ok(message(number)[:-1] + b',"x":{"y":[1]}}', JSON)]),
    # Halves of emojis
    "half-in-text": structured(rb'"a\ud83d"', f'"a{HALF}"'.encode()),
    "half-in-content": body(rb'{"content":[{"type":"text","text":"\uDE00"}]}', TOLD % HALF.encode()),
    "half-in-key": structured(rb'{"\ude00k":1}', f'{{"{HALF}k":1}}'.encode()),
    "halves-and-pairs": structured(rb'"\ud83d\ud83d\ude00 \\ud83d"', rf'"{HALF}{chr(0x1F600)} \\ud83d"'.encode()),
    "half-in-stream": Row(lambda number: [ok(event(message(number, TOLD % rb"\ud83d")), SSE)], TOLD % HALF.encode()),
    # Width
    "long-keys": structured(b'{"%b":1}' % (b"k" * 5000)),
    "many-keys": structured(b"{" + b",".join(b'"k%d":%d' % (n, n) for n in range(20_000)) + b"}"),
    "depth-100": structured(b"[" * 100 + b"]" * 100),
    "depth-190": structured(b'{"a":' * 190 + b"1" + b"}" * 190),
    "depth-300": structured(b"[" * 300 + b"]" * 300),
    "depth-5000": structured(b"[" * 5000 + b"]" * 5000),
    "many-values": structured(b"[" + b",".join([b"0"] * 1_200_000) + b"]"),
    "large-text": structured(b'"' + b"x" * (3 << 20) + b'"'),
    "large-half": structured(b'"' + b"x" * (2 << 20) + rb'\ud83d"', b'"' + b"x" * (2 << 20) + HALF.encode() + b'"'),
    # Numbers
    "big-integers": structured(b"[50000000000000000000,-9223372036854775809,18446744073709551616]"),
    "long-decimals": structured(b"[0.1234567890123456789012345678901,3.14159265358979323846264338327950288]"),
    "huge-and-tiny": structured(b"[1e400,-1e999,1e-400]"),
    "usual-numbers": structured(b"[0.1,0.30000000000000004,9007199254740993,1.5,-1]"),
    "not-a-number": Row(
        lambda number: [ok(message(number, b'{"content":[],"structuredContent":{"a":NaN}}'), JSON)],
        None,
        why_not="NaN is no JSON, and there is nothing that says the same to a client.",
    ),
    # Sessions
    "session-of-4000": Row(body(FINE).plays, session=b"s" * 4000),
    "session-of-8000": Row(body(FINE).plays, session=b"s" * 8000),
    "session-of-12000": Row(
        body(FINE).plays, None, b"s" * 12_000, "A worker remembers 20,000 sessions: they may have 8,192 characters."
    ),
    "session-lost-404": lost(b"404 Not Found", b"Session not found", b"Content-Type: text/plain"),
    "session-lost-400": lost(b"400 Bad Request", LOST % b"Bad Request: No valid session ID provided"),
    "session-lost-410": lost(b"410 Gone", b""),
    "session-lost-500": lost(b"500 Internal Server Error", LOST % b"Session not found"),
}


class OddServer:
    """Plays the rows. Its script is `answers`; each path is a server of its own."""

    def __init__(self) -> None:
        self._lost: set[str] = set()
        """Rows that have lost their session."""

    def answers(self, request: bytes) -> Sequence[Step]:
        """What is sent for one request."""
        top, _, text = request.partition(b"\r\n\r\n")
        method, path, _ = top.split(b" ", 2)
        name = path.split(b"/")[1].decode()
        row = ROWS[name]
        if method != b"POST":
            return [ok(b"", status=b"405 Method Not Allowed")]
        asked = orjson.loads(text)
        number = orjson.dumps(asked.get("id"))
        if asked["method"] == "initialize":
            return [ok(message(number, _opened(asked)), JSON, b"Mcp-Session-Id: " + row.session)]
        if "id" not in asked:
            return [ok(b"", status=b"202 Accepted")]
        if asked["method"] == "tools/list":
            return [ok(message(number, b'{"tools":[{"name":"t","inputSchema":{"type":"object"}}]}'), JSON)]
        if row.loses and name not in self._lost:
            self._lost.add(name)
            return [row.loses]
        return row.plays(number)


def _opened(asked: dict[str, object]) -> bytes:
    params = asked["params"]
    assert isinstance(params, dict)
    version = params["protocolVersion"]
    return orjson.dumps(
        {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": {"name": "odd", "version": "1"}}
    )
