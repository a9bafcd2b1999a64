"""Calls with one head, one behind another: what a plan is for, and every way in which a body or an answer is unusual.

The first two calls of a row are usual, so that the third may go by the plan of the second; then come bodies that
`proxy/plans/usual.py` must leave to the pipeline, and answers of the tool `odd` in every `how`. In one row in three
the head is bent too, and in one in four one call more has another head.
"""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from tests.fuzz.grammar import META, Request, byte_string, gentle, legacy, modern, request, rpc, scratched
from tests.fuzz.server_answers import HOWS

Body = dict[str, Any]


def _named(tool: str, how: str = "json") -> Body:
    return {"name": tool, "arguments": {"text": "{MARK}", "how": how}}


def _modern(tool: str) -> Callable[[], Request]:
    return lambda: modern("tools/call", _named(tool))


def _legacy(tool: str) -> Callable[[], Request]:
    return lambda: legacy(rpc("tools/call", _named(tool)), session=True)


USUAL_CALLS: tuple[Callable[[], Request], ...] = (_modern("odd"), _legacy("odd"))
_CALLS = (*USUAL_CALLS, USUAL_CALLS[0], _modern("echo"), _legacy("echo"), _modern("told"))

_IDS: tuple[Any, ...] = (
    0, -1, 7, 2**53, 2**63, 2**64, 10**30, 1.5, 1.0, True, None, [], {}, "", "m", "\u00e9", "x" * 64, "x" * 65,
    "x" * 255, "x" * 300, "\n",
)  # fmt: skip
_ARGUMENTS: tuple[Any, ...] = (
    {}, None, [], "x", 1, {"b": 1, "a": [2]}, {"n": 2**53 + 1}, {"n": 2**64}, {"n": 10**30}, {"n": 1.0}, {"n": -0.0},
    {"n": 1e300}, {"x": "\u00e9\U0001f600\u2028"}, {"": {"": []}}, {"x": "y" * 5000}, {"x": "\x00\x1f\"\\"},
    {"x": [[[[[[[[[[]]]]]]]]]]}, {"_meta": {}}, {"x": "\ud800"},
)  # fmt: skip
_METAS: tuple[Any, ...] = (
    {}, None, [], "x", META, META | {"progressToken": 1}, META | {"progressToken": "p"}, META | {"x.example/y": 1},
    META | {"io.modelcontextprotocol/clientInfo": {"name": "other", "version": "2"}},
    META | {"io.modelcontextprotocol/clientInfo": {"name": "x" * 200, "version": ""}},
    META | {"io.modelcontextprotocol/clientInfo": "x"}, META | {"io.modelcontextprotocol/clientInfo": None},
    META | {"io.modelcontextprotocol/clientInfo": {"name": "fuzz", "version": "1", "title": "t"}},
    META | {"io.modelcontextprotocol/clientCapabilities": []},
    META | {"io.modelcontextprotocol/clientCapabilities": None},
    META | {"io.modelcontextprotocol/clientCapabilities": {"sampling": {}}},
    META | {"io.modelcontextprotocol/protocolVersion": "2025-11-25"},
    META | {"io.modelcontextprotocol/protocolVersion": 1},
    META | {"io.modelcontextprotocol/protocolVersion": "1999-01-01"},
    META | {"io.modelcontextprotocol/logLevel": "info"},
    META | {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-00"},
    {"io.modelcontextprotocol/protocolVersion": "2026-07-28"},
    {name: META[name] for name in list(META)[:2]},
)  # fmt: skip
_NAMES: tuple[Any, ...] = ("odd", "echo", "told", "absent", "", None, 1, ["odd"], "ODD", "odd ", "x" * 300)
_TEXTS = (
    lambda text: b" " + text + b"\n", lambda text: b"\xef\xbb\xbf" + text, lambda text: text[:-1],
    lambda text: text + b"x", lambda text: b"[" + text + b"]", lambda text: text.replace(b'"odd"', b'"\xff"'),
    lambda text: text.replace(b'{"jsonrpc"', b'{"id":5,"jsonrpc"', 1),
    lambda text: text.replace(b"{MARK}", b"{MARK}\xed"),
    lambda text: text.replace(b'"arguments": {', b'"arguments": {"how":"x",', 1),
    lambda text: text.replace(b'"text"', b'"n":1e400,"text"'),
    lambda text: text.replace(b'"text"', b'"n":NaN,"text"'),
    lambda text: text.replace(b'"text"', b'"n":1.10,"text"'), lambda text: text.replace(b'"text"', b'"\\u0074ext"'),
    lambda text: text.replace(b'"text"', b'"n":' + b"[" * 200 + b"]" * 200 + b',"text"'),
    lambda text: text.replace(b'"text"', b'"n":123456789012345678901234567890,"text"'),
    lambda text: text + b" " * 70_000, lambda _: b"", lambda _: b"{}", lambda _: b"null",
)  # fmt: skip
_MESSAGES: tuple[Body, ...] = (
    {"jsonrpc": "1.0"}, {"jsonrpc": 2.0}, {"more": 1}, {"method": "tools/list"}, {"method": "ping"}, {"method": 1},
    {"method": "notifications/initialized"}, {"params": []}, {"params": None}, {"params": {}}, {"result": {}},
    {"method": "nonsense/x"},
)  # fmt: skip
Bend = Callable[[Body], object]


def _bends() -> list[Bend]:
    """Each way in which the message of a call is bent."""

    def put(where: str, name: str, value: Any) -> Bend:
        return lambda message: (message if not where else message[where]).__setitem__(name, value)

    def drop(where: str, name: str) -> Bend:
        return lambda message: (message if not where else message[where]).pop(name, None)

    bends = [put("", "id", one) for one in _IDS] + [drop("", name) for name in ("id", "jsonrpc", "method", "params")]
    bends += [put("params", "arguments", one) for one in _ARGUMENTS] + [drop("params", "arguments")]
    bends += [put("params", "_meta", one) for one in _METAS] + [drop("params", "_meta")]
    bends += [put("params", "name", one) for one in _NAMES] + [drop("params", "name"), put("params", "more", 1)]
    bends += [lambda message, more=more: message.update(more) for more in _MESSAGES]  # type: ignore[misc]  # bound early
    return bends


_BENT = tuple(_bends())
_HOWS = tuple(HOWS)


def _with(call: Request, *, how: str = "json", bend: Bend | None = None, number: int = 1) -> Request:
    """The same head with another body, but for its length."""
    message = json.loads(call.body)
    message["id"] = number
    message["params"]["arguments"]["how"] = how
    if bend is not None:
        bend(message)
    return _of_body(call, json.dumps(message).encode())


def _of_body(call: Request, body: bytes) -> Request:
    return Request(call.method, call.target, call.version, call.space, b"", list(call.headers), call.end, body)


def _one(call: Request, rnd: Random, number: int) -> bytes:
    """One further call: usual in two of six cases."""
    how = rnd.randrange(6)
    if how <= 1:
        return bytes(_with(call, number=number))
    if how <= 3:
        return bytes(_with(call, how=rnd.choice(_HOWS), number=number))
    if how == 4:
        return bytes(_with(call, bend=rnd.choice(_BENT), number=number))
    return bytes(_of_body(call, rnd.choice(_TEXTS)(_with(call, number=number).body)))


def repeated(rnd: Random) -> bytes:
    """A row of calls: two usual ones, and one to five more."""
    call = rnd.choice(_CALLS)()
    call.headers = list(call.headers)
    if rnd.randrange(3) == 0:
        gentle(call, rnd)
    row = [bytes(_with(call, number=number)) for number in (1, 2)]
    row += [_one(call, rnd, number) for number in range(3, 3 + rnd.randrange(1, 6))]
    if rnd.randrange(4) == 0:
        row.insert(rnd.randrange(1, len(row) + 1), request(rnd))
    return b"".join(row)


def conversation(rnd: Random) -> bytes:
    """What one connection sends: in half of the cases a row of calls with one head."""
    if rnd.random() < 0.5:
        return byte_string(rnd)
    raw = repeated(rnd)
    return scratched(raw, rnd) if rnd.random() < 0.1 else raw


def rows(make: Callable[[], Request], length: int = 4) -> Iterator[bytes]:
    """Each body and each answer once, in rows that begin with two usual calls. A usual one follows each, so that the
    next may go by the plan again, whatever became of the connection."""
    call = make()
    all_of_them = [_with(call, how=how) for how in _HOWS] + [_with(call, bend=bend) for bend in _BENT]
    all_of_them += [_of_body(call, bent(_with(call).body)) for bent in _TEXTS]
    usual = bytes(_with(call))
    for start in range(0, len(all_of_them), length):
        yield usual * 2 + b"".join(bytes(one) + usual for one in all_of_them[start : start + length])
