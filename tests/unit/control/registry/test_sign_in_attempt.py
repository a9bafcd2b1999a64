"""What one step of signing in is, and whose."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from control.registry.sign_in_attempt import STEPS, NewAttempt, Step

ANN = "01890000-0000-7000-8000-000000000001"


def test_every_step_is_told_in_words_in_the_order_in_which_it_is_taken() -> None:
    assert tuple(STEPS) == get_args(Step)
    assert len({words.name for words in STEPS.values()}) == len(STEPS)


def test_a_step_is_the_persons_where_they_proved_who_they_are_and_else_its_networks() -> None:
    proven = NewAttempt(step="token", user_id=ANN, address="2001:db8:1:2:3::1")
    guessed = NewAttempt(step="signed_in", user_id=ANN, address="2001:db8:1:2:3::1", reason="The password was wrong.")
    assert (proven.known, proven.source) == (True, ANN)
    assert (guessed.known, guessed.source) == (False, "2001:0db8:0001:0002")


def test_steps_are_the_same_where_all_of_them_is() -> None:
    one = NewAttempt(step="token", client="Claude", gateway="desk")
    assert one.same == replace(one).same
    assert one.same != replace(one, client="Claude\0desk", gateway="").same
    assert one.same != replace(one, reason="no").same
