"""What holds of our parsers whatever they are given: each function here takes an input and fails where it does not.

A parser gives what it read, or the error of its own; and what it read is the same when it is written and read again,
when it came in other pieces, or when it is read on another way. `test_parsers.py` runs these with the inputs that are
kept in `corpora`, a folder for each parser, and with those of hypothesis; `fuzz_parsers.py` with atheris. An input is
bytes, so that both can make it; what its parts are stands with each function.
"""

import base64
import binascii
import itertools
import string
import time
from collections.abc import Callable, Coroutine, Mapping
from random import Random
from typing import Final

import orjson

from core.keys import encode_key, parse_key_ring
from core.mcp.event_stream import Event, EventReader, EventStreamFault, encode_event
from core.mcp.faults import MessageFault
from core.mcp.header_values import decode_sentinel, encode_sentinel, safe_header_value
from core.mcp.json_limits import loads
from core.mcp.message import (
    Batch,
    Message,
    Notification,
    Request,
    Response,
    RoutingHeaders,
    judge,
    parse,
    parse_item,
    valid_id,
)
from core.mcp.param_headers import ParamHeaders, first_wrong_param_header, param_header_values
from core.sealing import Sealer
from proxy.redis import Redis, RedisAway
from proxy.sessions.call_state import CallState, StateBroken, close_state, open_state
from proxy.sessions.sealed import Session, Sessions
from tests.fakes.callers import a_user

RING: Final = parse_key_ring("KEY", encode_key(bytes(range(32))))
BOUND: Final = ("gateway", "user:1", "tools/call", "t", "")
CODES: Final = frozenset({-32700, -32600, -32602, -32020, -32022})
_CAP, _MOST = 64, 8
"""Bytes of an event and events of a stream, of the reader that is to meet its caps."""


def message(data: bytes) -> None:
    """A POST: a line each for version, method and name as headers, empty for none, and the body behind them."""
    version, method, name, body = (data.split(b"\n", 3) + [b""] * 3)[:4]
    headers = RoutingHeaders(*(line.decode("latin-1") or None for line in (version, method, name)))
    try:
        read = parse(body, headers)
    except MessageFault as fault:
        _is_told(fault)
        _is_the_same_on_the_ladder(body, headers, fault)
        return
    if isinstance(read, Batch):
        for item in read.items:
            try:
                _comes_back(parse_item(item), RoutingHeaders())
            except MessageFault as fault:
                _is_told(fault)
        return
    _is_the_same_on_the_ladder(body, headers, read)
    _comes_back(read, headers)


def _is_told(fault: MessageFault) -> None:
    assert fault.code in CODES
    assert fault.http_status in {200, 400}
    assert fault.id is None or valid_id(fault.id) is not None
    orjson.dumps(fault.id)


def _is_the_same_on_the_ladder(body: bytes, headers: RoutingHeaders, read: Message | MessageFault) -> None:
    """What the one look found that most messages get is what the checks find that judge member by member."""
    try:
        value = loads(body)
    except MessageFault:
        return
    if not isinstance(value, dict):
        return
    try:
        found: Message | MessageFault = judge(value, headers)
    except MessageFault as fault:
        found = fault
    if isinstance(read, MessageFault):
        assert isinstance(found, MessageFault)
        assert (found.code, found.http_status, found.id) == (read.code, read.http_status, read.id)
    else:
        assert not isinstance(found, MessageFault)
        assert _written(found) == _written(read)


def _comes_back(read: Message, headers: RoutingHeaders) -> None:
    """Written as it goes on, it is the same message to who reads it next."""
    again = parse(_written(read), headers)
    assert not isinstance(again, Batch)
    assert type(again) is type(read)
    assert _written(again) == _written(read)


def _written(read: Message) -> bytes:
    match read:
        case Request():
            told = {"id": read.id, "method": read.method, "params": read.params}
        case Notification():
            told = {"method": read.method, "params": read.params}
        case Response():
            told = (
                {"id": read.id, "result": read.result} if read.error is None else {"id": read.id, "error": read.error}
            )
    return orjson.dumps({"jsonrpc": "2.0", **told})


_MIRRORED: Final[ParamHeaders] = (("A", ("a",)), ("B", ("b", "c")))


def header_sentinel(data: bytes) -> None:
    """The value of a header as it came; the same bytes are, as UTF-8, the text that is to be written as one."""
    value = data.decode("latin-1")
    try:
        text = decode_sentinel(value)
    except ValueError:
        pass
    else:
        assert safe_header_value(value) == value
        assert decode_sentinel(encode_sentinel(text)) == text
        assert text == value or encode_sentinel(text) in {value, text}  # there is one sentinel of a text
    text = data.decode("utf-8", "replace")
    written = encode_sentinel(text)
    assert safe_header_value(written) == written
    assert decode_sentinel(written) == text
    _is_mirrored(data, text)


def _is_mirrored(data: bytes, text: str) -> None:
    """As an argument, text or JSON, it is mirrored by the header that we write of it, and by no other text."""
    try:
        read = loads(data)
    except MessageFault:
        read = text
    arguments = {"a": read, "b": {"c": text}}
    sent = {name.lower(): str(value) for name, value in param_header_values(_MIRRORED, arguments).items()}
    assert first_wrong_param_header(_MIRRORED, arguments, sent) is None
    wrong = {**sent, "mcp-param-b": str(encode_sentinel(text + "."))}
    assert first_wrong_param_header(_MIRRORED, arguments, wrong) == "Mcp-Param-B"


def event_stream(data: bytes) -> None:
    """The bytes of a stream. Where they are cut comes from themselves."""
    for most in ((_CAP, _MOST), (1 << 20, 100_000)):
        whole = _heard([data], *most)
        assert _heard([data[at : at + 1] for at in range(len(data))], *most) == whole
        rnd = Random(data)
        edges = sorted(rnd.randrange(len(data) + 1) for _ in range(rnd.randrange(1, 6)))
        pieces = [data[start:end] for start, end in itertools.pairwise([0, *edges, len(data)])]
        assert _heard(pieces, *most) == whole
    events, _ = whole
    for event in events if isinstance(events, list) else ():
        if b"\n" not in event.data:
            assert EventReader().feed(encode_event(event.data)) == [Event(event.data)]


def _heard(pieces: list[bytes], most_bytes: int, most: int) -> tuple[list[Event] | type[Exception], bool]:
    reader = EventReader(max_event_bytes=most_bytes, max_events=most)
    events: list[Event] = []
    try:
        for piece in pieces:
            events += reader.feed(piece)
    except EventStreamFault as fault:  # one kind is for too many events
        return type(fault), False
    assert all(b"\r" not in event.data for event in events)
    return events, reader.behind


def state(data: bytes) -> None:
    """What a client keeps for us. By the first letter: `t` a text; `c` and `s` what stands inside of a sealed state
    of a call, or of a session; `x` pairs of a place and a byte, by which a good one of each is changed.
    """
    kind, rest = data[:1], data[1:]
    if kind == b"c":
        _call_state(base64.urlsafe_b64encode(Sealer(RING, "call-state").seal(rest, *BOUND)).decode())
    elif kind == b"s":
        sealed = Sealer(RING, "session").seal(rest, "gateway", _CALLER.key, _CALLER.way)
        _session(base64.urlsafe_b64encode(sealed).rstrip(b"=").decode())
    elif kind == b"x":
        _changed(rest)
    else:
        text = rest.decode("utf-8", "surrogateescape")
        assert _call_state(text) is None
        assert _session(text) is None


def _call_state(text: str) -> CallState | None:
    try:
        read = open_state(RING, text, BOUND)
    except StateBroken:
        return None
    assert not time.time() >= read.expires
    # NaN is not even itself.
    assert repr(open_state(RING, close_state(RING, read, BOUND), BOUND)) == repr(read)
    try:
        open_state(RING, text, (*BOUND[:-1], "other arguments"))
    except StateBroken:
        return read
    raise AssertionError("a state opened for another call")


class _Away(Redis):
    """A Redis that nobody reaches."""

    def __init__(self) -> None:
        pass

    @property
    def commands(self) -> "_Away":  # type: ignore[override]
        return self

    def mget(self, _: list[str]) -> None:
        """A question that nobody is asked."""

    async def ask(self, _: object) -> object:  # type: ignore[override]
        raise RedisAway


_CALLER: Final = a_user("1")
_SESSIONS: Final = Sessions(RING, _Away())


def _session(text: str) -> Session | None:
    read = _at_once(_SESSIONS.open(text, "gateway", _CALLER))
    if read is not None:
        assert not read.is_over
        assert _at_once(_SESSIONS.open(text, "another", _CALLER)) is None
    return read


def _at_once(work: Coroutine[object, None, Session | None]) -> Session | None:
    """What a coroutine gives that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as over:
        read: Session | None = over.value
        return read
    raise AssertionError("it waits for something")


_LETTERS: Final = string.ascii_letters + string.digits + "-_="


def _changed(changes: bytes) -> None:
    """A good state of a call, and a good session, with some of its bytes made others."""
    good = close_state(RING, CallState.of(1, place="i", theirs="s"), BOUND)
    session, _ = _SESSIONS.new("gateway", _CALLER, "2025-11-25", 0)
    for text, opened in ((good, _call_state), (session, _session)):
        worked_on = bytearray(text.encode())
        for place, byte in zip(changes[::2], changes[1::2], strict=False):
            worked_on[place % len(worked_on)] = byte
        other = worked_on.decode("utf-8", "surrogateescape")
        # Base64 has several spellings of the same bytes.
        same = other == text if opened is _session else _bytes_of(other) == _bytes_of(text)
        assert (opened(other) is not None) is same
    for letter in _LETTERS:
        assert (_session(session[:-1] + letter) is not None) is (letter == session[-1])


def _bytes_of(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None


PARSERS: Final[Mapping[str, Callable[[bytes], None]]] = {
    "message": message,
    "header_sentinel": header_sentinel,
    "event_stream": event_stream,
    "state": state,
}
