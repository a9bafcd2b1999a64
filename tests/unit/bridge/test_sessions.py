import asyncio

import pytest

from bridge import sessions as module
from bridge.sessions import IDLE_S, MOST_HEARD, MOST_SESSIONS, MOST_STREAMS, Sessions

CHANGED = {"method": "notifications/tools/list_changed"}


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def heard(ear):
    return [ear.get_nowait() for _ in range(ear.qsize())]


def test_one_more_session_than_are_kept_forgets_the_longest_unused():
    sessions = Sessions()
    first, second = sessions.open({})[0], sessions.open({})[0]
    for _ in range(MOST_SESSIONS - 2):
        assert sessions.open({})[1] == []
    sessions.find(first.id)

    _, forgotten = sessions.open({})

    assert forgotten == [second]
    assert sessions.find(first.id) is first


def test_a_session_that_was_not_used_for_long_is_forgotten(clock):
    sessions = Sessions()
    session, _ = sessions.open({})
    clock[0] += IDLE_S

    assert sessions.open({})[1] == [session]
    assert sessions.find(session.id) is None


def test_a_session_that_listens_is_not(clock):
    sessions = Sessions()
    session, _ = sessions.open({})
    session.listen()
    clock[0] += IDLE_S

    assert sessions.open({})[1] == []


def test_what_ends_is_told_on_its_streams():
    sessions = Sessions()
    session, _ = sessions.open({})
    ear = session.listen()
    for _ in range(MOST_HEARD + 5):
        sessions.tell(CHANGED)

    assert sessions.end(session.id) is session

    told = heard(ear)
    assert [len(told), told[-1]] == [MOST_HEARD, None]
    assert sessions.end(session.id) is None


def test_one_more_stream_ends_the_oldest():
    session, _ = Sessions().open({})
    ears = [session.listen() for _ in range(MOST_STREAMS + 1)]

    assert heard(ears[0]) == [None]
    assert session.ears == ears[1:]


def test_all_end_together():
    sessions = Sessions()
    ears = [sessions.open({})[0].listen() for _ in range(3)]

    sessions.end_all()

    assert [heard(ear) for ear in ears] == [[None]] * 3


def test_a_resource_is_told_of_to_those_who_follow_it():
    sessions = Sessions()
    follower, other = sessions.open({})[0], sessions.open({})[0]
    follower.followed.add("test://one")
    ears = [follower.listen(), other.listen()]

    sessions.tell({"method": "notifications/resources/updated", "params": {"uri": "test://one"}})
    sessions.tell({"method": "notifications/resources/updated", "params": {"uri": "test://two"}})
    sessions.tell(CHANGED)

    assert [len(heard(ear)) for ear in ears] == [2, 1]
    assert [sessions.follows("test://one"), sessions.follows("test://two")] == [True, False]


def test_a_stream_of_nobody_is_no_harm():
    session, _ = Sessions().open({})
    session.stop_listening(asyncio.Queue(1))
