import gzip

import pytest

from core.egress.client import UpstreamFault
from core.mcp.list_page import MAX_ITEMS, MAX_LIST_VALUES, MAX_REJECTED, MAX_VALUES
from proxy.upstream.answers import Json
from proxy.upstream.list_answers import MAX_PAGE_BYTES, MAX_PAGES, ListAnswers
from tests.fakes.pool_calls import Pool, post
from tests.fakes.scripted_upstream import ScriptedUpstream, ok

JSON_TYPE, SSE_TYPE = b"Content-Type: application/json", b"Content-Type: text/event-stream"
ONE = b'{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"a"}]}}'


async def answered(
    body: bytes, *headers: bytes, most: int = 1 << 24, lists: ListAnswers | None = None
) -> tuple[ListAnswers, list[Json]]:
    """What a list has after this answer, and what came beside it."""
    lists, beside = lists or ListAnswers("tools"), list[Json]()

    async def note(message: Json) -> None:
        beside.append(message)

    async with ScriptedUpstream([ok(body, *headers)]) as server, Pool() as pool, post(pool, server.url) as response:
        await lists.answer(response, 7, most, note)
    return lists, beside


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (ONE, (JSON_TYPE,)),
        (b"\xef\xbb\xbf" + ONE, (JSON_TYPE,)),
        (ONE.replace(b"7", b'"7"'), (JSON_TYPE,)),
        (b"[" + ONE + b"]", (JSON_TYPE,)),
        (gzip.compress(ONE), (JSON_TYPE, b"Content-Encoding: gzip")),
        (b"event: ping\ndata: x\n\ndata: hello\n\ndata: " + ONE + b"\n\n", (SSE_TYPE,)),
    ],
    ids=["body", "byte order mark", "string id", "batch", "gzip", "events"],
)
async def test_a_page_is_read_as_widely_as_any_answer(body: bytes, headers: tuple[bytes, ...]) -> None:
    lists, _ = await answered(body, *headers)
    assert lists.take()
    assert lists.items == [{"name": "a"}]


async def test_what_comes_before_the_page_is_handed_on() -> None:
    before = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    _, beside = await answered(b"data: " + before + b"\n\ndata: " + ONE + b"\n\n", SSE_TYPE)
    assert [message["method"] for message in beside] == ["ping"]


@pytest.mark.parametrize(
    ("body", "kind", "detail"),
    [
        (b"<html>", JSON_TYPE, "the answer is a web page"),
        (b"{'a'}", JSON_TYPE, "the answer is no acceptable JSON: Expecting property name"),
        (
            b"data: {'a'}\n\n",
            SSE_TYPE,
            "an event was no message, and none answers: the answer is no acceptable JSON",
        ),
        (b"data: " + ONE.replace(b"7", b"8") + b"\n\n", SSE_TYPE, "the answer ended without an answer"),
        (ONE.replace(b"2.0", b"1.0"), JSON_TYPE, "the answer is no JSON-RPC message"),
    ],
)
async def test_what_is_no_page_is_told(body: bytes, kind: bytes, detail: str) -> None:
    with pytest.raises(UpstreamFault) as fault:
        await answered(body, kind)
    assert (fault.value.reason, fault.value.detail[: len(detail)]) == ("broken", detail)
    assert fault.value.whole  # the server is alive


async def test_a_list_of_too_many_events_is_not_said_to_have_too_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.upstream.answers.MAX_EVENTS", 3)
    with pytest.raises(UpstreamFault) as fault:
        await answered(b'data: {"jsonrpc":"2.0","method":"x"}\n\n' * 4, SSE_TYPE)
    assert (fault.value.reason, fault.value.figure, fault.value.unit) == ("too_large", 3, "events")


@pytest.mark.parametrize(("most", "figure"), [(1 << 24, MAX_PAGE_BYTES), (1_000, 1_000)])
@pytest.mark.parametrize("kind", [JSON_TYPE, SSE_TYPE])
async def test_a_page_of_too_many_bytes_is_told_with_the_most(kind: bytes, most: int, figure: int) -> None:
    body = (b"data: " if kind == SSE_TYPE else b"") + ONE + b" " * MAX_PAGE_BYTES + b"\n\n"
    with pytest.raises(UpstreamFault) as fault:
        await answered(body, kind, most=most)
    assert (fault.value.reason, fault.value.figure) == ("too_large", figure)


async def test_an_answer_that_is_never_taken_costs_the_list_nothing() -> None:
    lists, _ = await answered(ONE, JSON_TYPE)
    await answered(ONE, JSON_TYPE, lists=lists)
    assert lists.take()
    assert len(lists.items) == 1
    assert lists.is_begun


async def test_items_and_values_beyond_the_most_end_the_list() -> None:
    items = b",".join([b"{}"] * (MAX_ITEMS + 1))
    lists, _ = await answered(ONE.replace(b'{"name":"a"}', items), JSON_TYPE)
    assert not lists.take()
    assert len(lists.items) == MAX_ITEMS
    assert lists.notes == [
        ("", f"Its list of tools has more than {MAX_ITEMS} items; read were the first {MAX_ITEMS}.")
    ]

    wide = b",".join([b'{"a":[' + b"1," * (MAX_VALUES - 10) + b"1]}"] * (MAX_LIST_VALUES // MAX_VALUES + 1))
    lists, _ = await answered(ONE.replace(b'{"name":"a"}', wide), JSON_TYPE)
    assert not lists.take()
    assert lists.notes == [("", f"Its list of tools has more than {MAX_LIST_VALUES} values; read were the first 8.")]


async def test_pages_are_counted() -> None:
    lists, _ = await answered(ONE, JSON_TYPE)
    for _ in range(MAX_PAGES):
        assert lists.has_pages_left
        lists.take()
    assert not lists.has_pages_left


async def test_odd_items_of_all_pages_together_are_told_up_to_the_most_and_the_rest_is_counted_in_one_note() -> None:
    lists = None
    for odd in (b"1", b'{"name":"a","b":NaN}', b"[]"):
        items = b",".join([odd] * (MAX_REJECTED - 40))
        lists, _ = await answered(ONE.replace(b'{"name":"a"}', items), JSON_TYPE, lists=lists)
        assert lists.take()
    assert lists is not None
    assert len(lists.rejected) == MAX_REJECTED
    more = 3 * (MAX_REJECTED - 40) - MAX_REJECTED
    assert lists.notes == [("", f"Of its list of tools {more} more are left out, without their reasons.")]


async def test_of_a_page_of_ones_few_rows_are_kept_and_the_list_ends() -> None:
    lists, _ = await answered(ONE.replace(b'{"name":"a"}', b",".join([b"1"] * 1_000_000)), JSON_TYPE)
    assert not lists.take()
    assert (lists.items, len(lists.rejected)) == ([], MAX_REJECTED)
    assert lists.notes == [
        ("", f"Its list of tools has more than {MAX_ITEMS} items; read were the first 0."),
        ("", f"Of its list of tools {MAX_ITEMS - MAX_REJECTED} more are left out, without their reasons."),
    ]
