import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mcp.faults import INVALID_REQUEST, PARSE_ERROR, MessageFault
from core.mcp.json_limits import loads

# Quotes, backslashes and brackets in abundance: what the scan could mistake for structure.
TEXT = st.text(alphabet='"\\[]{}:, \n\u00e9\U0001f600abc', max_size=12)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def depth(tree: object) -> int:
    if isinstance(tree, dict):
        return 1 + max(map(depth, tree.values()), default=0)
    if isinstance(tree, list):
        return 1 + max(map(depth, tree), default=0)
    return 0


def nodes(tree: object) -> list[object]:
    children = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else []
    return [tree, *(node for child in children for node in nodes(child))]


def figures(tree: object) -> dict[str, int]:
    """Each limit's figure for this tree, counted the slow way."""
    every = nodes(tree)
    objects = [node for node in every if isinstance(node, dict)]
    keys = [len(key.encode()) for node in objects for key in node]
    return {
        "max_depth": depth(tree),
        "max_values": len(every),
        "max_key_bytes": max(keys, default=0),
        "max_object_keys": max(map(len, objects), default=0),
    }


def is_refused(raw: bytes, **limits: int) -> bool:
    try:
        loads(raw, **limits)
    except MessageFault as fault:
        return (fault.code, fault.http_status, fault.id) == (INVALID_REQUEST, 400, None)
    return False


@given(TREES, st.booleans(), st.booleans())
def test_every_limit_agrees_with_a_slow_count(tree: object, spaced: bool, escaped: bool) -> None:
    separators = (" ,\t", "\n: ") if spaced else (",", ":")
    raw = json.dumps(tree, separators=separators, ensure_ascii=escaped).encode()
    for name, figure in figures(tree).items():
        assert not is_refused(raw, **{name: figure}), name
        if figure > 0:
            assert is_refused(raw, **{name: figure - 1}), name


@given(TREES)
def test_within_the_limits_it_reads_what_orjson_reads(tree: object) -> None:
    raw = orjson.dumps(tree)
    assert loads(raw) == orjson.loads(raw) == tree


@pytest.mark.parametrize(
    "number",
    [
        "50000000000000000000",
        "18446744073709551616",
        "-9223372036854775809",
        "1e400",
        "0.1234567890123456789012345678901",
        "9007199254740993e0",
        "1e-400",
    ],
)
def test_a_number_that_no_double_holds_is_written_again_as_it_came(number: str) -> None:
    raw = f'{{"a":[{number},1.5],"b":"{number}"}}'.encode()
    assert orjson.dumps(loads(raw)) == raw


def test_a_string_may_be_as_long_as_the_body() -> None:
    raw = b'{"a":"' + b"x" * (3 << 20) + b'"}'
    assert loads(raw) == {"a": "x" * (3 << 20)}


@given(st.binary() | st.text(alphabet='"\\[]{}:,u0 12ab').map(str.encode))
def test_any_bytes_are_read_or_refused_as_orjson_judges_them(raw: bytes) -> None:
    try:
        expected = orjson.loads(raw)
    except orjson.JSONDecodeError:
        with pytest.raises(MessageFault):
            loads(raw, max_depth=2, max_values=3, max_key_bytes=1)
        with pytest.raises(MessageFault) as caught:
            loads(raw)
        assert caught.value.code == PARSE_ERROR
    else:
        assert loads(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"[1,]", b"NaN", b"\xef\xbb\xbf{}", b'"\xff"', b'"\\ud800"', b"{} {}", b"-", b"1e", b"01e400"),
        *(b'["\\ud800", 1e400]', b"[1e400, NaN]", b"\x00"),
    ],
)
def test_what_is_not_json_is_a_parse_error(raw: bytes) -> None:
    with pytest.raises(MessageFault) as caught:
        loads(raw)
    assert (caught.value.code, caught.value.http_status) == (PARSE_ERROR, 400)


def test_a_long_key_is_found_behind_escaped_quotes() -> None:
    assert is_refused(b'{"' + b'\\"' * 257 + b'":1}')
    assert not is_refused(b'{"' + b'\\"' * 256 + b'":1}')


def test_a_backslash_before_the_closing_quote_hides_nothing() -> None:
    assert is_refused(b'{"a\\\\":{"' + b"k" * 257 + b'":"\\""}}')


def test_a_key_is_measured_with_its_escapes_resolved() -> None:
    assert not is_refused(b'{"' + b"\\u00e9" * 128 + b'":1}')
    assert is_refused(b'{"' + b"\\u00e9" * 129 + b'":1}')


def test_a_long_value_is_no_long_key() -> None:
    assert not is_refused(orjson.dumps({"k": "v" * 5000, "list": ["v" * 300]}))


def test_keys_are_counted_object_by_object() -> None:
    half = {f"k{n}": n for n in range(6000)}
    assert not is_refused(orjson.dumps([half, {"inner": half}]))
    assert is_refused(orjson.dumps({"outer": {f"k{n}": n for n in range(10_001)}}))


def test_a_hundred_thousand_values_pass_and_one_more_does_not() -> None:
    assert not is_refused(orjson.dumps([0] * 99_999))
    assert is_refused(orjson.dumps([0] * 100_000))


def test_a_million_open_brackets_are_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.mcp.json_limits.orjson.loads", lambda _: pytest.fail("it was read"))
    assert is_refused(b"[" * 1_000_000)
    assert is_refused(b'{"a":' * 65 + b"1" + b"}" * 65)
    assert is_refused(b"[" + b"[]," * 349_524 + b"[]]")
