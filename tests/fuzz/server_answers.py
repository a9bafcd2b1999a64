"""How the tool `odd` answers: as its argument `how` says, in each way in which an answer is usual, unusual or wrong.

`repeated.py` draws from `HOWS`. Left out: what changes more than this one call (a credential that is refused, a
session that is lost), which would let what one conversation did be seen in the next.
"""

from collections.abc import Callable
from typing import Any

import orjson

from proxy.upstream.answers import ON_LOOP
from tests.fakes.mcp_answers import Answer, Received

_JSON = {"Content-Type": "application/json"}
_STREAM = {"Content-Type": "text/event-stream"}
_CONTENT: list[Any] = [{"type": "text", "text": "odd"}]


def _raw(text: bytes, headers: dict[str, str] | None = None) -> Callable[[Received], Answer]:
    """These bytes, with the request's id where they say `%d`."""
    return lambda asked: Answer(raw=text.replace(b"%d", orjson.dumps(asked.id)), headers=headers or _JSON)


def _result(**fields: Any) -> Callable[[Received], Answer]:
    return lambda _: Answer(result={"content": _CONTENT} | fields)


def _told(**fields: Any) -> Callable[[Received], Answer]:
    return lambda _: Answer(text="odd", **fields)


_LOG = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}}
_GOOD = b'{"jsonrpc":"2.0","id":%d,"result":{"content":[],"resultType":"complete"'
HOWS: dict[str, Callable[[Received], Answer]] = {
    "json": _told(),
    "structured": _told(structured={"n": [1, None, "\u00e9"]}),
    "failed": _told(is_error=True),
    "meta": _told(meta={"v": 1}),
    "stream": _told(stream=True),
    "sliced": _told(slice_bytes=7),
    "progress": _told(progress=2),
    "log first": _told(before=[_LOG]),
    "late": _told(delay=0.005),
    "two finals": _told(finals=2),
    "no final": _told(finals=0),
    "wrong id": _told(wrong_id=True),
    "cut": _told(cut=True),
    "cut stream": _told(stream=True, cut=True),
    "in two pieces": _told(piece_bytes=60),
    "in pieces": _told(piece_bytes=5),
    "byte by byte": _told(piece_bytes=1),
    "in one chunk": _told(piece_bytes=1000, chunked=True),
    "in chunks": _told(piece_bytes=5, chunked=True),
    "large in pieces": lambda _: Answer(text="x" * 70_000, piece_bytes=9_000),
    "large": lambda _: Answer(text="x" * (ON_LOOP + 1)),
    "long": lambda _: Answer(text="x" * 70_000),
    "error": lambda _: Answer(error=(-32000, "no")),
    "error 400": lambda _: Answer(error=(-32000, "no"), status=400),
    "error in a stream": lambda _: Answer(error=(-32000, "no"), stream=True),
    "503": lambda _: Answer(status=503),
    "204": lambda _: Answer(status=204),
    "empty result": lambda _: Answer(result={}),
    "asks": _result(resultType="input_required"),
    "unknown kind": _result(resultType="x"),
    "kind is null": _result(resultType=None),
    "isError is 1": _result(isError=1),
    "content is text": lambda _: Answer(result={"content": "x"}),
    "result is a list": _raw(b'{"jsonrpc":"2.0","id":%d,"result":[]}'),
    "result and error": _raw(_GOOD + b'},"error":{"code":1,"message":"x"}}'),
    "result and method": _raw(_GOOD + b'},"method":"x"}'),
    "more in it": _raw(_GOOD + b'},"more":1}'),
    "id as text": _raw(_GOOD.replace(b"%d", b'"%d"') + b"}}"),
    "id as float": _raw(_GOOD.replace(b"%d", b"%d.0") + b"}}"),
    "no version": _raw(b'{"id":%d,"result":{"content":[]}}'),
    "large number": _raw(_GOOD + b',"n":100000000000000000000000}}'),
    "numbers": _raw(_GOOD + b',"n":[1.0,-0.0,1e3,9007199254740993,1E400]}}'),
    "nan": _raw(_GOOD + b',"n":NaN}}'),
    "twice": _raw(_GOOD + b',"n":1,"n":2}}'),
    "deep": _raw(_GOOD + b',"n":' + b"[" * 100 + b"]" * 100 + b"}}"),
    "surrogate": _raw(_GOOD + b',"n":"\\ud800"}}'),
    "not UTF-8": _raw(_GOOD + b',"n":"\xff"}}'),
    "a mark before": _raw(b"\xef\xbb\xbf" + _GOOD + b"}}"),
    "spaces": _raw(b" \n" + _GOOD + b"}}\n "),
    "a list": _raw(b"[" + _GOOD + b"}}]"),
    "half": _raw(_GOOD),
    "empty": _raw(b""),
    "a page": _raw(b"<html>", {"Content-Type": "text/html"}),
    "no type": _raw(_GOOD + b"}}", {"Content-Type": ""}),
    "another type": _raw(_GOOD + b"}}", {"Content-Type": "Application/JSON; charset=utf-8"}),
    "as text": _raw(_GOOD + b"}}", {"Content-Type": "text/plain"}),
    "event without a type": _raw(b"data: " + _GOOD + b"}}\n\n", _STREAM),
    "event with an id": _raw(b"id: 1\nevent: message\ndata: " + _GOOD + b"}}\n\n", _STREAM),
    "event of another type": _raw(b"event: x\ndata: " + _GOOD + b"}}\n\n", _STREAM),
    "event without an end": _raw(b"data: " + _GOOD + b"}}", _STREAM),
    "event in lines": _raw(b"data: " + _GOOD + b"\r\ndata: }}\r\n\r\n", _STREAM),
    "event behind a mark": _raw(b"\xef\xbb\xbfdata: " + _GOOD + b"}}\n\n", _STREAM),
    "comments": _raw(b": x\n\ndata: " + _GOOD + b"}}\n\n: y\n\n", _STREAM),
    "closes": lambda _: Answer(text="odd", headers={"Connection": "close"}),
    "cookie": lambda _: Answer(text="odd", headers={"Set-Cookie": "a=b"}),
}  # fmt: skip


def answered_as_told(received: Received) -> Answer:
    """The script of the tool."""
    how = HOWS.get(str(received.arguments.get("how")))
    return Answer(text="told nothing") if how is None else how(received)
