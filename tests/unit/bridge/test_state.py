import pytest

from bridge.state import LONGEST_MESSAGE, State, how_it_ended


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (0, "It ended with status 0."),
        (3, "It ended with status 3."),
        (-9, "It was ended by SIGKILL."),
        (-200, "It was ended by signal 200."),
    ],
)
def test_an_end_is_told_in_words(status, said):
    assert how_it_ended(status) == said


def test_of_a_long_message_the_end_is_told():
    told = State("failed", "crashed", "x" * LONGEST_MESSAGE + "the cause", 2).told()

    assert str(told["message"]).endswith("the cause")
    assert len(str(told["message"])) == LONGEST_MESSAGE
    assert {**told, "message": ""} == {"phase": "failed", "cause": "crashed", "message": "", "restarts": 2}


@pytest.mark.parametrize(("phase", "ready"), [("starting", False), ("ready", True), ("failed", False)])
def test_calls_are_let_through_where_it_is_ready(phase, ready):
    assert State(phase).is_ready is ready
