import resource

from proxy.listening.descriptors import RESERVE, places


def test_callers_may_take_all_but_the_reserve():
    assert places(65_536) == 65_536 - RESERVE


def test_half_of_a_small_limit_is_kept_from_callers():
    assert places(256) == 128


def test_no_limit_at_all_is_still_a_number():
    assert places(resource.RLIM_INFINITY) > 1_000_000
