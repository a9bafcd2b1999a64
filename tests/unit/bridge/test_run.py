import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.child_process import InputFull
from bridge.lines import TooLong
from bridge.printed import Printed
from bridge.refused import Refused
from bridge.run import Run
from core.redaction import Redaction

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abid", max_size=4), inner, max_size=3),
    max_leaves=8,
)


def run_of(sent=None):
    return Run((sent if sent is not None else []).append, Printed(Redaction([])), 8, 1000)


def line(**message):
    return json.dumps({"jsonrpc": "2.0", **message}).encode()


@given(st.lists(st.tuples(json_values, st.integers() | st.text(max_size=5), st.randoms()), max_size=6))
async def test_each_answer_reaches_the_call_that_it_answers_and_is_not_changed(asked):
    run = run_of()
    calls = [run.ask("tools/call", {}, request_id) for _, request_id, _ in asked]
    order = sorted(range(len(calls)), key=lambda n: asked[n][2].random())

    for n in order:
        run.take(line(id=calls[n].number, result={"value": asked[n][0]}))

    for call, (value, request_id, _) in zip(calls, asked, strict=True):
        assert await call.next() == {"jsonrpc": "2.0", "id": request_id, "result": {"value": value}}
    assert len(run.calls) == 0


@given(
    json_values
    | st.fixed_dictionaries({}, optional=dict.fromkeys(["jsonrpc", "id", "method", "result"], json_values))
)
def test_nothing_that_a_server_says_is_taken_for_an_answer_of_another_call(said):
    run = run_of()
    call = run.ask("tools/call", {}, "mine")

    run.take(json.dumps(said).encode())

    assert call.is_over is False


@given(st.binary(max_size=60))
def test_no_bytes_of_a_server_break_anything(raw):
    run = run_of()
    call = run.ask("tools/call", {}, "mine")

    run.take(raw)

    assert call.is_over is False


async def test_an_answer_with_its_number_as_a_string_is_taken():
    run = run_of()
    call = run.ask("tools/call", {}, 1)

    run.take(line(id=str(call.number), result={}))

    assert (await call.next())["id"] == 1


async def test_several_messages_on_one_line_are_taken():
    run = run_of()
    calls = [run.ask("ping", {}, n) for n in range(2)]

    run.take(json.dumps([json.loads(line(id=call.number, result={"n": call.id})) for call in calls]).encode())

    assert [(await call.next())["result"]["n"] for call in calls] == [0, 1]


async def test_an_answer_too_long_is_an_error_of_its_call():
    run = run_of()
    first, second = run.ask("ping", {}, 1), run.ask("ping", {}, 2)

    run.take(TooLong(b'{"jsonrpc":"2.0","id":%d,' % second.number, b"", 5000))

    assert "has 5000 bytes; at most 1000" in (await second.next())["error"]["message"]
    assert not first.is_over


def test_progress_of_a_call_without_a_token_is_nobodys():
    run = run_of()
    call = run.ask("tools/call", {"_meta": {}}, 1)

    run.take(line(method="notifications/progress", params={"progressToken": call.number, "progress": 1}))

    assert not call._told


@pytest.mark.parametrize("token", ["mine", 7, 0, "", [1]], ids=repr)
async def test_a_progress_token_is_ours_at_the_server_and_the_callers_at_the_caller(token):
    sent = []
    run = run_of(sent)
    call = run.ask("tools/call", {"_meta": {"progressToken": token, "vendor": 1}}, 1)
    assert json.loads(sent[0])["params"]["_meta"] == {"progressToken": call.number, "vendor": 1}

    run.take(line(method="notifications/progress", params={"progressToken": call.number, "progress": 1}))

    assert (await call.next())["params"] == {"progressToken": token, "progress": 1}


def test_a_call_that_is_left_is_cancelled_once():
    sent = []
    run = run_of(sent)
    call = run.ask("tools/call", {}, 1)

    run.leave(call, "gone")
    run.leave(call, "gone")

    assert [json.loads(one)["method"] for one in sent] == ["tools/call", "notifications/cancelled"]
    assert json.loads(sent[1])["params"] == {"requestId": call.number, "reason": "gone"}


def test_a_call_that_was_answered_is_not_cancelled():
    sent = []
    run = run_of(sent)
    call = run.ask("tools/call", {}, 1)
    run.take(line(id=call.number, result={}))

    run.leave(call, "gone")

    assert len(sent) == 1


def test_a_server_that_reads_nothing_is_asked_no_more():
    def full(_):
        raise InputFull

    run = Run(full, Printed(Redaction([])), 8, 1000)

    with pytest.raises(Refused) as refused:
        run.ask("tools/call", {}, 1)
    assert [refused.value.status, len(run.calls)] == [503, 0]
    run.take(line(id=5, method="ping"))


async def test_at_the_end_of_a_run_every_call_is_told():
    run = run_of()
    calls = [run.ask("ping", {}, n) for n in range(3)]

    run.end()

    assert [(await call.next())["error"]["code"] for call in calls] == [-31502] * 3
    with pytest.raises(Refused):
        run.ask("ping", {}, 1)


def test_a_ping_of_a_server_is_answered():
    sent = []
    run = run_of(sent)

    run.take(line(id="p", method="ping"))

    assert json.loads(sent[0]) == {"jsonrpc": "2.0", "id": "p", "result": {}}
