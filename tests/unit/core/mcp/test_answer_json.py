import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mcp.answer_json import mended, read

INSTEAD = "\ufffd"


def written(raw: bytes) -> bytes:
    return orjson.dumps(read(raw))


@given(st.recursive(st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.text(), st.lists, max_leaves=9))
def test_json_is_read_as_it_is(value: object) -> None:
    assert read(json.dumps(value).encode()) == value
    assert read(orjson.dumps(value)) == value


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (r"\ud83d", INSTEAD),
        (r"\uDE00", INSTEAD),
        (r"\ud83d\ud83d", INSTEAD * 2),
        (r"\ude00\ud83d", INSTEAD * 2),
        (r"\ud83d\ud83d\ude00", INSTEAD + "\U0001f600"),
        (r"\ud83d\ude00\ude00", "\U0001f600" + INSTEAD),
        (r"\\ud83d", r"\ud83d"),
        (r"\\\ud83d", "\\" + INSTEAD),
        (r"\ud83d\n\"", INSTEAD + '\n"'),
        (r"\ud83dx\u00e9", INSTEAD + "x\u00e9"),
        (r"\udbff\udfff\ud800", "\U0010ffff" + INSTEAD),
    ],
)
def test_each_half_of_an_emoji_becomes_one_replacement_character(escaped: str, text: str) -> None:
    raw = f'{{"{escaped}":["{escaped}"]}}'.encode()
    if INSTEAD not in text:
        raw = raw[:-1] + rb',"x":"\ud800"}'  # so that something is to be mended
    assert next(iter(read(raw).items())) == (text, [text])  # type: ignore[attr-defined]  # a dictionary


@pytest.mark.parametrize(
    "raw",
    [b'{"a":"\xf0\x9f\x98"}', b'{"a":"\xff"}', b'{"a":"\xed\xa0\xbd"}', b'{"a":"\xc3","\xe2\x82":1}'],
    ids=["a character cut short", "no UTF-8", "half an emoji as bytes", "in a key"],
)
def test_bytes_that_are_no_utf_8_become_replacement_characters_as_browsers_read_them(raw: bytes) -> None:
    assert read(raw) == json.loads(raw.decode("utf-8", "replace"))


@pytest.mark.parametrize("raw", [b'{"a":1}', b"[]", b'"text"', b'{"a":"\\ud83d"}', b'{"a":1e400}'])
def test_a_byte_order_mark_is_passed_over(raw: bytes) -> None:
    assert written(b"\xef\xbb\xbf" + raw) == written(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"wei":50000000000000000000}',
        b'{"a":-9223372036854775809,"b":18446744073709551616}',
        b'{"pi":3.14159265358979323846264338327}',
        b'{"a":1e400,"b":-1E999,"c":1e-400}',
        b'{"a":' + b"[" * 150 + b"50000000000000000000" + b"]" * 150 + b"}",
        b'{"a":' + b"[" * 2000 + b"50000000000000000000" + b"]" * 2000 + b"}",
        b'{"a":' + b"[" * 300 + b"1e400" + b"]" * 300 + b"}",
    ],
)
def test_numbers_are_written_again_as_they_came_at_any_depth(raw: bytes) -> None:
    assert written(raw) == raw


@pytest.mark.parametrize("levels", [65, 250, 260, 1024, 1025, 3000])
def test_depth_has_no_limit(levels: int) -> None:
    raw = b'{"a":' * levels + b"1" + b"}" * levels
    assert written(raw) == raw


@pytest.mark.parametrize(
    "raw",
    [
        b'{"%b":1}' % (b"k" * 5000),
        b"{" + b",".join(b'"k%d":%d' % (n, n) for n in range(20_000)) + b"}",
        b"[" + b",".join([b"0"] * 400_000) + b"]",
    ],
    ids=["long keys", "many keys", "many values"],
)
def test_width_has_no_limit(raw: bytes) -> None:
    assert written(raw) == raw


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xef\xbb\xbf",
        b"{",
        b"[1,]",
        b"{} {}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e400,"b":NaN}',
        b'{"a":"\n"}',
        b"{'a':1}",
        b"<html>",
        b"[" * 3000 + b"]" * 2999,
    ],
)
def test_what_is_no_json_is_refused_in_the_parsers_words(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read(raw)


def test_nothing_is_mended_where_nothing_is_wrong() -> None:
    raw = r'{"a":"\ud83d\ude00 \\ud83d \"\u00e9 é"}'.encode()
    assert mended(raw) == raw
