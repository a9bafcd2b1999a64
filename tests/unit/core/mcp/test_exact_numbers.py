import json
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mcp.exact_numbers import MOST_SUSPECTS, Exact, digits_of, loads_exactly, may_change, whole_number

CHANGED = (
    "50000000000000000000",
    "18446744073709551616",
    "-9223372036854775809",
    "9" * 5000,
    "9007199254740993e0",
    "0.1234567890123456789012345678901",
    "3.14159265358979323846",
    "123456789.123456789123",
    "1e-400",
    "1.5e-310000",
    "0." + "0" * 400 + "1",
)
"""Numbers that orjson reads as others."""
HELD = (
    "0",
    "-1",
    "18446744073709551615",
    "-9223372036854775808",
    "0.1",
    "0.30000000000000004",
    "1.7976931348623157e+308",
    "5e-324",
    "2.2250738585072014e-308",
    "0e-999",
    "1.0000000000000000000",
    "100000000000000000000.0",
    "0.00000000000000000000001",
)


class Number(str):
    """The text of a number, among texts of strings."""

    __slots__ = ()


@pytest.mark.parametrize("number", CHANGED)
def test_a_number_that_would_change_is_found_and_written_as_it_came(number: str) -> None:
    raw = f'{{"a":[{number},1],"b":{{"c":{number}}}}}'.encode()
    assert may_change(raw)
    if len(number) < 300:  # else it is infinite for orjson, which then reads nothing
        assert may_change(raw, orjson.loads(raw))
    assert may_change(f'{{"long":0.30000000000000004,"a":-{number.lstrip("-")}}}'.encode())
    assert orjson.dumps(loads_exactly(raw.decode())) == raw


@pytest.mark.parametrize("number", HELD)
def test_a_number_that_a_double_or_64_bits_hold_is_left_to_the_parser(number: str) -> None:
    raw = f'{{"a":[{number},1]}}'.encode()
    assert not may_change(raw)
    assert loads_exactly(raw.decode()) == orjson.loads(raw)
    assert not isinstance(loads_exactly(number), Exact)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":0.30000000000000004,"b":[3.3000000000000003]}',
        b'{ "a" : 0.30000000000000004 }',
        b'["12345678901234567", "1.1.1.1.1.1.1.1.1.1", "-4e-123"]',
        b"[" * 300 + b"0.30000000000000004" + b"]" * 300,
    ],
)
def test_a_text_of_usual_long_numbers_needs_no_closer_look(raw: bytes) -> None:
    assert not may_change(raw)
    assert not may_change(raw, orjson.loads(raw))


@given(
    st.lists(
        st.integers(-(10**30), 10**30).map(str)
        | st.decimals(allow_nan=False, allow_infinity=False).map(lambda one: format(one, "f")[:60])
        | st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][-+]?[0-9]{1,3})?", fullmatch=True),
        max_size=5,
    )
)
def test_no_number_is_ever_altered(numbers: list[str]) -> None:
    raw = f"[{','.join(numbers)}]".encode()
    try:
        value = loads_exactly(raw.decode()) if may_change(raw) else orjson.loads(raw)
    except orjson.JSONDecodeError:  # infinite for a double: whoever reads takes the other way then
        value = loads_exactly(raw.decode())
    written = json.loads(orjson.dumps(value), parse_int=Decimal, parse_float=Decimal)
    assert written == [Decimal(number) for number in numbers]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        "1699999999.123456-1699999999.654321",
        "1234567890123456-1234567890123456",
        "1234567890123456--1234567890123456",
        "1e-0000-1e-000",
        "1.1234567890123456e+0000-1234567890123456e-000e-000",
        "0e-000" * 9,
        "1234567890123456-" * 9,
    ],
)
def test_numbers_beside_each_other_are_passed_one_by_one(text: str) -> None:
    assert not may_change(f'{{"range": "{text}"}}'.encode())
    assert isinstance(may_change(text.encode()), bool)  # no JSON, which others refuse; only that it ends


LOOK_LIKE_NUMBERS = st.text(alphabet="0123456789.eE- ", max_size=60)
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][-+]?0{0,20}[0-9]{1,3})?", fullmatch=True)


def numbers_of(raw: bytes) -> object:
    """A JSON text's values, with each number as it is, and whether it is an integer."""
    return json.loads(raw, parse_int=lambda text: ("integer", Decimal(text)), parse_float=Decimal)


def is_altered(raw: bytes) -> bool | None:
    """Whether orjson reads a number of it as another one, found out the slow way; None for what it does not read."""
    try:
        return numbers_of(json.dumps(orjson.loads(raw)).encode()) != numbers_of(raw)
    except orjson.JSONDecodeError:
        return None


@pytest.mark.timeout(120)
@given(st.lists(LOOK_LIKE_NUMBERS | NUMBERS.map(Number), max_size=5), st.sampled_from([",", ", ", " ,\n"]))
def test_strings_full_of_digits_hide_no_number_and_are_none(parts: list[str], between: str) -> None:
    raw = f"[{between.join(part if isinstance(part, Number) else json.dumps(part) for part in parts)}]".encode()
    if (altered := is_altered(raw)) is not None:
        assert may_change(raw) is may_change(raw, orjson.loads(raw)) is altered
    assert numbers_of(orjson.dumps(loads_exactly(raw.decode()))) == numbers_of(raw)


@pytest.mark.timeout(120)
@given(st.text(alphabet='0123456789.eE- "', max_size=80))
def test_every_text_is_looked_through_to_its_end(text: str) -> None:
    assert isinstance(may_change(text.encode()), bool)


@pytest.mark.parametrize("number", ["1e-000", "0.1000000000000000", "1000000000000000.0"])
def test_of_many_long_numbers_only_some_are_judged_before_all_are_read(
    number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = []
    monkeypatch.setattr("core.mcp.exact_numbers._is_held", lambda text: not judged.append(text))
    assert not may_change(f'["{f"{number} " * 10_000}"]'.encode())
    assert judged == []
    assert not may_change(f"[{', '.join([number] * MOST_SUSPECTS)}]".encode())
    assert judged == [number] * MOST_SUSPECTS
    judged.clear()
    assert may_change(f"[{', '.join([number] * 10_000)}]".encode())
    assert judged == [number] * MOST_SUSPECTS


@pytest.mark.parametrize("between", [", ", ",", ",\n\t", " , "])
def test_any_number_of_usual_long_numbers_is_left_to_the_parser_however_they_are_spaced(between: str) -> None:
    numbers = between.join(["0.30000000000000004", "1e-7", "18446744073709551615"] * MOST_SUSPECTS)
    raw = f'{{"\\u00e9_\\"": "caf\\u00e9" , "a":[ {numbers} ]}}'.encode()
    assert not may_change(raw, orjson.loads(raw))
    assert may_change(raw.replace(b"18446744073709551615", b"18446744073709551616", 1), orjson.loads(raw))
    twice = raw[:-1] + b',"a":[18446744073709551616],"a":[1]}'
    assert may_change(twice, orjson.loads(twice))


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_of_json_is_refused(constant: str) -> None:
    with pytest.raises(ValueError, match="is not JSON"):
        loads_exactly(f"[{constant}]")


@pytest.mark.parametrize(
    ("written", "whole"),
    [
        ("50000000000000000000", "50000000000000000000"),
        ("-50000000000000000000.0", "-50000000000000000000"),
        ("50000000000000000000.5", None),
        ("5e400", None),
        ('"5"', None),
        ("[5]", None),
    ],
)
def test_the_digits_of_a_whole_number_are_told(written: str, whole: str | None) -> None:
    assert (digits_of(Exact(written)), whole_number(Exact(written))) == (written, whole)
