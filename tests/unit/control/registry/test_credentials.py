import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.credentials import (
    Placement,
    check_credential,
    check_placement,
    credential_headers,
    placement_of,
)


def test_a_bearer_credential_becomes_an_authorization_header() -> None:
    assert credential_headers(Placement("bearer"), "abc") == [("authorization", "Bearer abc")]


def test_an_authorization_credential_is_sent_as_it_is() -> None:
    assert credential_headers(Placement("authorization"), "Basic eDp5") == [("authorization", "Basic eDp5")]


def test_a_custom_header_carries_the_bare_value() -> None:
    placement = check_placement("header", "X-Api-Key")
    assert credential_headers(placement, "abc") == [("x-api-key", "abc")]


@pytest.mark.parametrize("placement", [Placement("bearer"), Placement("header", "x-key")])
def test_a_placement_survives_its_row(placement: Placement) -> None:
    assert placement_of(placement.as_json()) == placement


def test_a_custom_header_needs_a_name() -> None:
    with pytest.raises(BrokenRule, match=r"credential\.header: is needed"):
        check_placement("header", "")


def test_a_bearer_placement_takes_no_header_name() -> None:
    with pytest.raises(BrokenRule, match="take it out"):
        check_placement("bearer", "x-key")


def test_a_custom_header_may_not_frame_the_message() -> None:
    with pytest.raises(BrokenRule):
        check_placement("header", "Content-Length")


@pytest.mark.parametrize("value", ["Bearer abc", "bearer abc", "two words", "line\nbreak", ""])
def test_a_bearer_value_that_would_not_arrive_as_meant_is_refused(value: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        check_credential(Placement("bearer"), value)
    assert not value or value not in str(refused.value)


def test_a_basic_authorization_may_have_a_space() -> None:
    assert check_credential(Placement("authorization"), "Basic eDp5") == "Basic eDp5"
