from proxy.explaining.known_later import FOUND_OUT, KNOWN_LATER
from proxy.pipeline import AT_HEADERS, TO_UPSTREAM
from proxy.stages.apply_policy import apply_policy
from proxy.stages.authenticate import authenticate
from proxy.stages.enter_gateway import enter_gateway
from proxy.stages.search_tools import search_tools

STAGES = {one.__name__ for one in (*AT_HEADERS, *TO_UPSTREAM, search_tools)}


def test_what_is_known_later_is_known_of_stages_that_there_are() -> None:
    assert {*KNOWN_LATER, *FOUND_OUT} <= STAGES
    assert not {*KNOWN_LATER} & {*FOUND_OUT}


def test_the_stages_that_decide_who_may_call_what_are_all_run() -> None:
    assert not {one.__name__ for one in (authenticate, enter_gateway, apply_policy)} & {*KNOWN_LATER}
