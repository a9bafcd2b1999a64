import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bridge import calls as module
from bridge.calls import LEFT_S, MOST_TOLD, MOST_TOLD_BYTES, Calls, TooManyCalls
from bridge.refused import ENDED_MEANWHILE

MOST = 4


class AnyOrder(RuleBasedStateMachine):
    """Calls that begin, are answered once, twice or never, and are left, in any order."""

    def __init__(self):
        super().__init__()
        self.calls = Calls(MOST)
        self.running, self.gone = {}, []

    @rule(request_id=st.integers(0, 2) | st.sampled_from(["a", "b"]))
    def begin(self, request_id):
        if len(self.running) == MOST:
            with pytest.raises(TooManyCalls):
                self.calls.begin(request_id, None, None)
            return
        call = self.calls.begin(request_id, None, None)
        assert call.number not in {*self.running, *self.gone}
        self.running[call.number] = call

    @rule(data=st.data())
    def answer(self, data):
        if self.running:
            number = data.draw(st.sampled_from(sorted(self.running)))
            assert self.calls.answered(number) is self.running.pop(number)
            self.gone.append(number)

    @rule(data=st.data())
    def answer_again(self, data):
        if self.gone:
            assert self.calls.answered(data.draw(st.sampled_from(self.gone))) is None

    @rule(data=st.data())
    def leave(self, data):
        if self.running:
            number = data.draw(st.sampled_from(sorted(self.running)))
            call = self.running.pop(number)
            assert self.calls.leave(call)
            assert not self.calls.leave(call)
            self.gone.append(number)

    @invariant()
    def those_that_run_are_known_and_no_others(self):
        assert {call.number for call in self.calls} == set(self.running)
        assert not any(self.calls.of(number) for number in self.gone)
        assert all(self.calls.of(number) is call for number, call in self.running.items())


TestAnyOrder = AnyOrder.TestCase


@given(st.sampled_from([None, "1", 1.0, True, [], {}, -1]))
def test_what_is_no_number_of_ours_is_no_call(value):
    assert Calls(MOST).of(value) is None


def test_a_call_is_alone_until_another_begins():
    calls = Calls(MOST)
    first = calls.begin(1, None, None)
    assert calls.sole() is first

    second = calls.begin(1, None, None)
    assert calls.sole() is None

    calls.answered(second.number)
    assert calls.sole() is first


def test_a_call_whose_caller_has_left_counts_for_a_while(monkeypatch):
    calls, now = Calls(MOST), [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    assert calls.leave(calls.begin(1, None, None))
    other = calls.begin(2, None, None)

    assert calls.sole() is None
    now[0] += LEFT_S
    assert calls.sole() is other


def test_a_call_whose_caller_has_left_counts_no_more_once_it_is_answered():
    calls = Calls(MOST)
    left = calls.begin(1, None, None)
    calls.leave(left)
    other = calls.begin(2, None, None)

    assert calls.answered(left.number) is None
    assert calls.sole() is other


async def test_what_was_told_comes_in_order_and_the_answer_last():
    call = Calls(MOST).begin("a", None, None)
    assert call.tell({"method": "one"}, 10)
    call.end({"id": "a", "result": {}})
    call.end({"id": "a", "result": {"second": True}})
    assert not call.tell({"method": "late"}, 10)

    assert [await call.next(), await call.next()] == [{"method": "one"}, {"id": "a", "result": {}}]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await call.next()


async def test_a_caller_who_reads_slowly_misses_messages_but_not_the_answer():
    call = Calls(MOST).begin("a", None, None)

    assert sum(call.tell({"method": "one"}, 1) for _ in range(MOST_TOLD + 5)) == MOST_TOLD
    call.end({"id": "a", "result": {}})

    assert [await call.next() for _ in range(MOST_TOLD + 1)][-1] == {"id": "a", "result": {}}


async def test_of_large_messages_fewer_wait():
    call = Calls(MOST).begin("a", None, None)

    assert [call.tell({"method": "one"}, MOST_TOLD_BYTES // 2) for _ in range(3)] == [True, True, False]
    await call.next()
    assert call.tell({"method": "one"}, MOST_TOLD_BYTES // 2)


async def test_a_call_that_is_refused_has_an_error_for_its_answer():
    call = Calls(MOST).begin("a", None, None)

    call.refuse(ENDED_MEANWHILE)

    assert (await call.next())["id"] == "a"
    assert call.refused is ENDED_MEANWHILE


async def test_idle_waits_for_the_last_call_and_no_longer_than_it_may():
    calls = Calls(MOST)
    first, second = calls.begin(1, None, None), calls.begin(2, None, None)
    loop = asyncio.get_running_loop()
    loop.call_soon(calls.answered, first.number)
    loop.call_soon(calls.leave, second)

    await calls.idle(60)
    assert len(calls) == 0

    third = calls.begin(3, None, None)
    await calls.idle(0.01)
    assert [*calls] == [third]


async def test_one_that_only_hears_of_changes_keeps_nobody_waiting():
    calls = Calls(MOST)
    hears, waits = calls.begin(1, None, None), calls.begin(2, None, None)
    hears.listens = True
    assert (calls.awaited, len(calls)) == (1, 2)
    asyncio.get_running_loop().call_soon(calls.answered, waits.number)

    await calls.idle(60)

    assert [*calls] == [hears]
