import tracemalloc

import orjson
import pytest

from core.mcp.answer_json import read
from core.mcp.large_answer_json import LARGE, MAX_PARTS, is_object, items_of, members_of, read_large, with_item

TEXT = b"x" * LARGE
BLOCK = b'{"type":"text","text":"%b"}' % TEXT


def message(result: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":7,"result":%b}' % result


@pytest.mark.parametrize(
    "result",
    [
        b'{"content":[%b],"isError":false}' % BLOCK,
        b'{"content":[],"structuredContent":{"a":"%b"},"resultType":"complete","x":{"y":[1]}}' % TEXT,
        b'{"contents":[{"uri":"a:b","text":"%b"}]}' % TEXT,
        b'{"content":[%b],"structuredContent":{"wei":50000000000000000000,"t":"%b"},"n":1e400}' % (BLOCK, TEXT),
        b'{"content":[%b],"structuredContent":{"a":%b"%b"%b}}' % (BLOCK, b"[" * 5000, TEXT, b"]" * 5000),
        b'{"content":[%b,%b1%b]}' % (BLOCK, b"[" * 800, b"]" * 800),
        b'{"content":[%b],"isError":%b1%b}' % (BLOCK, b"[" * 1100, b"]" * 1100),
        b'{"content":[%b],"_meta":{"a":%b{"b":"%b"}%b}}' % (BLOCK, b"[" * 1100, TEXT[: LARGE // 2], b"]" * 1100),
        b'{"content":[%b1%b],"structuredContent":{"a":"%b"}}' % (b"[" * 1100, b"]" * 1100, TEXT),
        b'{"taskId":"a","status":"completed","result":{"content":[%b],"isError":false,"_meta":{"b":1}}}' % BLOCK,
        b'{"status":"completed","result":{"content":[%b],"x":%b1%b}}' % (BLOCK, b"[" * 1100, b"]" * 1100),
    ],
    ids=[
        *("text", "structured", "resource", "numbers", "depth", "some depth", "a deep flag", "deep meta", "beside"),
        *("a task", "a deep task"),
    ],
)
def test_a_large_result_is_written_on_as_it_came(result: bytes) -> None:
    raw = message(result)
    assert orjson.dumps(read_large(raw)) == raw


def test_the_members_that_somebody_looks_at_are_values() -> None:
    meta = b'{"a":"%b","b":1}' % TEXT[: LARGE // 2]
    found = read_large(message(b'{"content":[%b],"isError":true,"resultType":"complete","_meta":%b}' % (BLOCK, meta)))
    assert isinstance(found, dict)
    assert (found["jsonrpc"], found["id"]) == ("2.0", 7)
    assert (found["result"]["isError"], found["result"]["resultType"]) == (True, "complete")
    assert set(found["result"]["_meta"]) == {"a", "b"}


@pytest.mark.parametrize(
    ("odd", "plain"),
    [(rb"\ud83d", "\ufffd"), (b"\xff", "\ufffd"), (rb"\ud83d\ude00", "\U0001f600"), (rb"\\ud83d", r"\ud83d")],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_halves_and_marks_are_mended_as_in_any_answer(odd: bytes, plain: str, mark: bytes) -> None:
    found = read_large(mark + message(b'{"content":[{"type":"text","text":"%b%b"}]}' % (TEXT, odd)))
    text = orjson.loads(orjson.dumps(found))["result"]["content"][0]["text"]
    assert text == TEXT.decode() + plain


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("levels", [1, 300, 2000])
def test_what_is_written_on_is_on_one_line_whatever_lines_it_came_in(end: bytes, levels: int) -> None:
    content = b"[%b%b%b]" % (b"[" + end, (b"[" + end) * levels + (b"]" + end) * levels, end + b"]")
    raw = message(b'{"content":%b,%b"structuredContent":{"a":"%b",%b"b":%b}}' % (content, end, TEXT, end, content))
    for text in (raw, raw.replace(TEXT, b"")):
        written = orjson.dumps(read_large(text) if len(text) > LARGE else read(text))
        assert b"\n" not in written
        assert b"\r" not in written
        assert b"".join(written.split()) == b"".join(text.split())


@pytest.mark.parametrize("levels", [300, 1100, 5000])
def test_a_large_deep_answer_is_read_no_further_than_any_large_one(levels: int) -> None:
    wide = b",".join([b"1"] * LARGE)
    raw = message(
        b'{"content":[{"a":%b}],"structuredContent":{"b":%b%b%b}}' % (BLOCK, b"[" * levels, wide, b"]" * levels)
    )
    tracemalloc.start()
    try:
        found = read_large(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(found, dict)
    assert {name: type(part) for name, part in found["result"].items()} == {
        "content": orjson.Fragment,
        "structuredContent": orjson.Fragment,
    }
    assert peak < 7 * len(raw)
    assert orjson.dumps(found) == raw


def test_a_large_unknown_member_is_refused_however_deep_it_is() -> None:
    with pytest.raises(ValueError, match="outside content and structuredContent"):
        read_large(message(b'{"content":[],"x":%b"%b%b"%b}' % (b"[" * 1100, TEXT, TEXT, b"]" * 1100)))


def test_a_large_unknown_member_of_a_tasks_result_is_refused_as_well() -> None:
    with pytest.raises(ValueError, match="outside content and structuredContent"):
        read_large(message(b'{"status":"completed","result":{"content":[],"x":"%b%b"}}' % (TEXT, TEXT)))


def test_of_a_large_result_of_a_task_the_members_are_values() -> None:
    meta = b'{"a":"%b","b":1}' % TEXT[: LARGE // 2]
    found = read_large(message(b'{"status":"completed","result":{"content":[%b],"_meta":%b}}' % (BLOCK, meta)))
    assert isinstance(found, dict)
    inside = found["result"]["result"]
    assert isinstance(inside["content"], orjson.Fragment)
    assert inside["_meta"].keys() == {"a", "b"}


def test_the_items_of_a_deep_part_are_whole() -> None:
    deep = b'{"type":"text","a":%b"x"%b}' % (b"[" * 1100, b"]" * 1100)
    part = orjson.Fragment(b'[%b,{"type":"text","text":"%b"}]' % (deep, TEXT))
    items = items_of(part)
    assert items is not None
    assert orjson.dumps(items) == orjson.dumps(part)
    found = items_of(part, that_hold=b'"type"')
    assert found is not None
    assert isinstance(found[0], dict)
    assert found[0]["type"] == "text"


@pytest.mark.parametrize("result", [b"", b'"result":null,', b'"result": null , '])
def test_an_absent_result_beside_a_large_error_is_as_in_any_answer(result: bytes) -> None:
    data = b'{"jsonrpc":"2.0","id":7,%b"error":{"code":1,"message":"no","data":{"a":"%b"}}}'
    for text in (TEXT, b""):
        raw = data % (result, text)
        found = read_large(raw) if text else read(raw)
        assert isinstance(found, dict)
        assert (found.get("result"), found["error"]["message"]) == (None, "no")


@pytest.mark.parametrize("others", [0, 1, 3])
def test_a_large_list_of_messages_is_taken_as_a_small_one(others: int) -> None:
    notice = b'{"jsonrpc":"2.0","method":"notifications/message"}'
    for block in (BLOCK, b'{"type":"text","text":"x"}'):
        raw = b"[%b]" % b",".join([*[notice] * others, message(b'{"content":[%b]}' % block), *[notice] * others])
        found = read_large(raw) if len(raw) > LARGE else read(raw)
        assert isinstance(found, list)
        assert len(found) == 2 * others + 1
        assert orjson.dumps(found) == raw


def test_a_large_list_of_messages_with_too_many_values_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=f"a list of messages with more than {MAX_PARTS} values"):
        read_large(b"[%b]" % b",".join([b"{}"] * LARGE))


@pytest.mark.parametrize(
    ("array", "longer"),
    [(b"[]", b"[7]"), (b" [ ] ", b"[7]"), (b"[1, 2]\n", b"[1, 2,7]"), (b'{"a":1}', b"[7]"), (b"[[]]", b"[[],7]")],
)
def test_an_item_is_put_behind_an_array_that_was_not_taken_apart(array: bytes, longer: bytes) -> None:
    assert orjson.dumps(with_item(orjson.Fragment(array), 7)) == longer


def test_white_space_around_it_is_none_of_its_size() -> None:
    space = b" " * (2 * LARGE)
    raw = message(b'{"content":[%b]}' % BLOCK)
    assert orjson.dumps(read_large(space + raw + b"\n" + space)) == raw


def test_an_error_keeps_what_is_told_of_it() -> None:
    error = b'{"code":-32000,"message":"%b","data":{"huge":"%b"}}' % (TEXT, TEXT)
    found = read_large(b'{"jsonrpc":"2.0","id":7,"error":%b}' % error)
    assert found == {"jsonrpc": "2.0", "id": 7, "error": {"code": -32000, "message": TEXT.decode()}}


def test_of_a_large_notification_nothing_but_its_method_is_there() -> None:
    raw = b'{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"%b"}}' % TEXT
    assert read_large(raw) == {"jsonrpc": "2.0", "method": "notifications/message"}


@pytest.mark.parametrize(
    "raw",
    [
        message(b'{"content":[NaN,%b]}' % BLOCK),
        message(b'{"content":[%b}' % BLOCK),
        message(b'{"content":[%b],}' % BLOCK),
        message(b'["%b"]' % TEXT),
        message(b'{"x":"%b"}' % TEXT),
        message(b'{"content":[%b],"content":[%b]}' % (BLOCK, BLOCK)),
        b"[%b]" % message(b'{"content":[%b}' % BLOCK),
        b'"%b"' % TEXT,
    ],
    ids=["NaN", "brackets", "comma", "no object", "unknown and large", "twice", "a list of none", "a string"],
)
def test_what_is_no_message_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        read_large(raw)


@pytest.mark.parametrize("member", [b'"content":[%b]', b'"structuredContent":{"a":[%b]},"content":[]'])
@pytest.mark.parametrize("filling", [b"[]", b"{}", b"1", b'""', b'{"a":[]}'])
def test_no_objects_are_made_of_it(member: bytes, filling: bytes) -> None:
    raw = message(b"{" + member % b",".join([filling] * (4 * LARGE // len(filling))) + b"}")
    tracemalloc.start()
    try:
        read_large(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5 * len(raw)


def test_the_items_of_a_part_are_fragments_or_what_was_looked_for() -> None:
    part = orjson.Fragment(b'[{"type":"resource_link","uri":"a:b"},{"type":"text","text":"%b"}]' % TEXT)
    items = items_of(part, that_hold=b"resource_link")
    assert items is not None
    assert items[0] == {"type": "resource_link", "uri": "a:b"}
    assert isinstance(items[1], orjson.Fragment)
    assert items_of(part, that_hold=b"another") is None
    assert [orjson.loads(orjson.dumps(item))["type"] for item in items_of(part) or []] == ["resource_link", "text"]


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ([1], [1]),
        ({"a": 1}, None),
        (None, None),
        (orjson.Fragment(b'{"a":1}'), None),
        (orjson.Fragment(b"[" + b"0," * MAX_PARTS + b"0]"), None),
        (orjson.Fragment(b"[" + b'"",' * MAX_PARTS + b'""]'), None),
    ],
)
def test_what_has_no_items_or_too_many_is_not_taken_apart(value: object, items: object) -> None:
    assert items_of(value) == items


@pytest.mark.parametrize(
    ("value", "is_one"),
    [({}, True), ([], False), (None, False), (orjson.Fragment(b'{"a":1}'), True), (orjson.Fragment(b"[1]"), False)],
)
def test_an_object_is_known_taken_apart_or_not(value: object, is_one: bool) -> None:
    assert is_object(value) is is_one


@pytest.mark.parametrize("value", [None, 3, [], orjson.Fragment(b"[1]")])
def test_what_is_no_object_has_no_members(value: object) -> None:
    assert members_of(value) is None


def test_the_members_of_an_object_are_read_but_for_large_ones() -> None:
    given = {"type": "resource", "_meta": {"a": 1}, "text": "x" * (1 << 17)}
    assert members_of(given) is given
    found = members_of(orjson.Fragment(orjson.dumps(given)))
    assert found is not None
    assert (found["type"], found["_meta"]) == ("resource", {"a": 1})
    assert isinstance(found["text"], orjson.Fragment)
    assert orjson.loads(orjson.dumps(found)) == given


def test_the_members_of_a_deep_object_are_whole() -> None:
    deep = b'{"uri":"a://1","deep":' + b"[" * 2000 + b"]" * 2000 + b"}"
    found = members_of(orjson.Fragment(deep))
    assert found is not None
    assert found["uri"] == "a://1"
    assert orjson.dumps(found["deep"]) == b"[" * 2000 + b"]" * 2000
