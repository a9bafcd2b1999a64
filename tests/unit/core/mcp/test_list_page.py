import orjson
import pytest

from core.mcp.list_page import (
    MAX_CONTAINERS,
    MAX_ITEMS,
    MAX_LIST_VALUES,
    MAX_REJECTED,
    MAX_VALUES,
    NoPage,
    read_page,
)

GOOD = b'{"name":"good","inputSchema":{"type":"object"}}'
PLAIN = orjson.loads(GOOD)


def page(*items: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":1,"result":{"tools":[' + b",".join(items) + b'],"nextCursor":"c"}}'


ODD = [
    (b'{"name":"odd","description":"\\ud83d"}', "half of a character (a lone surrogate), at description."),
    (b'{"name":"odd","inputSchema":{"enum":["a","\\ude00b"]}}', "a lone surrogate), at inputSchema.enum[1]."),
    (b'{"name":"odd","\\ud83dx":1}', "half of a character (a lone surrogate), at a name."),
    (b'{"name":"odd","title":"\\ud83d\\ud83d"}', "half of a character (a lone surrogate), at title."),
    (b'{"name":"odd","a":{"maximum":NaN}}', "NaN, Infinity or a number that is too large, at a.maximum."),
    (b'{"name":"odd","a":-Infinity}', "NaN, Infinity or a number that is too large, at a."),
    (b'{"name":"odd","a":[1e400]}', "the number 1e400, which clients cannot read, at a[0]."),
    (b'{"name":"odd","a":50000000000000000000}', "the number 50000000000000000000, which clients cannot read, at a."),
    (b'{"name":"odd","a":0.1234567890123456789012}', "0.1234567890123456789012, which clients cannot read, at a."),
    (b'{"name":"odd","a":"\xff"}', "bytes that are no UTF-8, 19 bytes from its beginning."),
    (b'{"name":"odd","a":' + b"[" * 64 + b"]" * 64 + b"}", "deeper than 64 levels."),
    (b'{"name":"odd","a":' + b"[" * 5000 + b"]" * 5000 + b"}", "deeper than 64 levels."),
    (b'{"name":"odd","' + b"k" * 257 + b'":1}', "A key in its definition is longer than 256 bytes."),
    (b'{"name":"odd","a":[' + b"1," * MAX_VALUES + b"1]}", f"holds more than {MAX_VALUES} values."),
]  # fmt: skip


@pytest.mark.parametrize(("odd", "words"), ODD)
def test_an_odd_item_is_left_out_by_its_name_with_the_reason_and_the_others_stay(odd: bytes, words: str) -> None:
    found = read_page(page(GOOD, odd, GOOD), "tools")
    assert found.items == [PLAIN, PLAIN]
    ((name, reason),) = found.rejected
    assert name == "odd"
    assert reason.endswith(words)
    assert found.message["id"] == 1
    assert found.message["result"]["nextCursor"] == "c"


@pytest.mark.parametrize("odd", [b"7", b'"text"', b"null", b"[]", b'["\\ud83d"]', b"1e400"])
def test_an_item_that_is_no_object_is_left_out_by_its_number(odd: bytes) -> None:
    found = read_page(page(GOOD, odd), "tools")
    assert found.items == [PLAIN]
    assert [name for name, _ in found.rejected] == ["number 2"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [(b"\\ud83d", "\\ud83d"), (b"a\\u202eb", "a\\u202eb"), (b"", "number 1"), (b"x" * 99, "x" * 80)],
)
def test_the_name_of_an_odd_item_is_told_escaped_and_cut(name: bytes, shown: str) -> None:
    found = read_page(page(b'{"name":"' + name + b'","a":NaN}'), "tools")
    assert [told for told, _ in found.rejected] == [shown]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "Expecting value (byte 0)"),
        (page(GOOD)[:-3], "Unterminated string starting (byte 105)"),
        (page(b"{'a':1}"), "Expecting property name enclosed in double quotes (byte 44)"),
        (page(GOOD, b'{"a":1,}'), "Expecting property name enclosed in double quotes (byte 98)"),
        (page(GOOD, b"", GOOD), "Expecting value (byte 91)"),
        (page(b'{"a" 1}'), "Expecting ':' delimiter (byte 48)"),
        (page(b'{"a":nul}'), "Expecting value (byte 48)"),
        (page(b'{"name":"x\ny"}'), "Invalid control character (byte 53)"),
        (page(GOOD) + b"x", "Extra data (byte 110)"),
        (b"[]", "it is no JSON object"),
        (
            page(b'{"a":' + b"[{}," * MAX_CONTAINERS + b"1]}"),
            f"it holds more than {MAX_CONTAINERS} objects and lists",
        ),
        (page(b'{"a":NaN}').replace(b"tools", b"t\\u006fols"), "its tools cannot be told apart"),
    ],
)
def test_what_is_no_json_is_told_in_the_parsers_words_with_the_place(raw: bytes, words: str) -> None:
    with pytest.raises(NoPage) as told:
        read_page(raw, "tools")
    assert str(told.value).startswith(words)


def test_what_stands_around_the_items_may_be_odd() -> None:
    found = read_page(page(GOOD).replace(b'"c"', b'"\\ud83d"'), "tools")
    assert found.items == [PLAIN]


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read_page(b"\xef\xbb\xbf" + page(GOOD), "tools").items == [PLAIN]


@pytest.mark.parametrize(
    "raw",
    [b'{"jsonrpc":"2.0","method":"ping","id":"a"}', b'{"id":1,"error":{"code":-1,"message":"\\ud83d","data":NaN}}'],
)
def test_a_message_without_a_list_is_a_message(raw: bytes) -> None:
    found = read_page(raw, "tools")
    assert (found.items, found.rejected) == ([], [])
    assert found.message


def test_items_of_a_page_with_very_many_values_are_read_one_by_one() -> None:
    many = b'{"name":"good","a":[' + b"1," * 40_000 + b"1]}"
    found = read_page(page(*[many] * 6), "tools")
    assert len(found.items) == 6
    assert found.values > 240_000


@pytest.mark.parametrize(
    "odd",
    [b"1", b'""', b"[]", b'{"name":"odd","a":NaN}', b'{"name":"odd","a":1e400}', b'{"name":"odd","a":"\\ud83d"}'],
)
@pytest.mark.parametrize("many", [3 * MAX_REJECTED, 60_000])
def test_of_very_many_odd_items_the_first_are_told_and_the_others_looked_at_are_counted(
    odd: bytes, many: int
) -> None:
    found = read_page(page(GOOD, *[odd] * many), "tools")
    looked_at = min(1 + many, MAX_ITEMS)
    assert found.items == [PLAIN]
    assert len(found.rejected) == MAX_REJECTED
    assert found.more_rejected == looked_at - 1 - MAX_REJECTED
    assert found.ends == (f"more than {MAX_ITEMS} items" if many >= MAX_ITEMS else "")


def test_a_page_that_is_all_ones_costs_no_row_for_each() -> None:
    found = read_page(page(*[b"1"] * 2_000_000), "tools")
    assert (len(found.rejected), found.ends) == (MAX_REJECTED, f"more than {MAX_ITEMS} items")


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("good", [b"{}", b'{"a":[1,2,3,4,5,6,7,8,9,10]}'], ids=["read whole", "read apart"])
def test_items_are_kept_up_to_the_most(good: bytes, more: int) -> None:
    found = read_page(page(*[good] * (MAX_ITEMS + more)), "tools")
    assert len(found.items) == MAX_ITEMS
    assert bool(found.ends) == bool(more)


@pytest.mark.parametrize("end", [b"1]}", b"1e1]}", b"NaN]}", b'"\\ud83d"]}'])
def test_no_more_items_are_looked_at_than_may_have_values(end: bytes) -> None:
    wide = b'{"a":[' + b"1," * (MAX_VALUES - 10) + end
    found = read_page(page(*[wide] * 20), "tools")
    assert found.ends == f"more than {MAX_LIST_VALUES} values"
    assert len(found.items) + len(found.rejected) == MAX_LIST_VALUES // MAX_VALUES
    assert found.values <= MAX_LIST_VALUES
