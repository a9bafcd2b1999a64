"""What a shell offers for a word that is half typed."""

from archway.admin.completion import offering
from archway.admin.people import ROLES
from control.registry.actions import ROLES as ROLES_THAT_THERE_ARE


def test_the_words_that_begin_as_what_was_typed_are_offered_in_their_order():
    offered = offering(("wide", "table", "tall"))
    assert (offered("ta"), offered(""), offered("x")) == (["table", "tall"], ["wide", "table", "tall"], [])


def test_the_roles_that_are_offered_are_those_that_there_are():
    assert ROLES == ROLES_THAT_THERE_ARE
