import pytest

from control.credentials.kinds import static
from control.registry.broken_rule import BrokenRule
from control.registry.credential import StaticCredential
from control.registry.targets import header

BEARER, BARE, HEADER = (
    StaticCredential("bearer"), StaticCredential("authorization"), StaticCredential("header", "X-Api-Key"),
)  # fmt: skip


def test_a_bearer_credential_becomes_an_authorization_header() -> None:
    assert static.headers(BEARER, {"credential": "abc"}) == [("authorization", "Bearer abc")]


def test_an_authorization_credential_is_sent_as_it_is() -> None:
    assert static.headers(BARE, {"credential": "Basic eDp5"}) == [("authorization", "Basic eDp5")]


def test_a_custom_header_carries_the_bare_value() -> None:
    checked = static.check(HEADER).credential
    assert isinstance(checked, StaticCredential)
    assert static.headers(checked, {"credential": "abc"}) == [("x-api-key", "abc")]


@pytest.mark.parametrize(
    ("credential", "fills"), [(BEARER, "authorization"), (BARE, "authorization"), (HEADER, "x-api-key")]
)
def test_the_header_that_it_fills_is_known_when_it_is_saved(credential: StaticCredential, fills: str) -> None:
    assert static.check(credential).fills == (header(fills),)


def test_a_custom_header_needs_a_name() -> None:
    with pytest.raises(BrokenRule, match=r"credential_placement\.header: is needed"):
        static.check(StaticCredential("header"))


def test_a_bearer_placement_takes_no_header_name() -> None:
    with pytest.raises(BrokenRule, match="leave it out"):
        static.check(StaticCredential("bearer", "x-key"))


def test_a_custom_header_may_not_frame_the_message() -> None:
    with pytest.raises(BrokenRule):
        static.check(StaticCredential("header", "Content-Length"))


@pytest.mark.parametrize("value", ["Bearer abc", "bearer abc", "two words", "line\nbreak", ""])
def test_a_bearer_value_that_would_not_arrive_as_meant_is_refused(value: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        static.take(BEARER, value, {}, "CRM")
    assert not value or value not in str(refused.value)


def test_a_basic_authorization_may_have_a_space() -> None:
    assert static.take(BARE, "Basic eDp5", {}, "CRM") == {"credential": "Basic eDp5"}


def test_a_new_value_goes_before_the_one_given_earlier_and_one_of_them_is_needed() -> None:
    assert static.take(BEARER, None, {"credential": "old", "pin": "1"}, "CRM") == {"credential": "old"}
    assert static.take(BEARER, "new", {"credential": "old"}, "CRM") == {"credential": "new"}
    with pytest.raises(BrokenRule, match="credential: is needed: CRM takes an API key or token"):
        static.take(BEARER, None, {}, "CRM")


def test_each_way_of_sending_it_is_another_place() -> None:
    ways = [BEARER, BARE, StaticCredential("header", "x-api-key"), StaticCredential("header", "x-other")]
    assert [static.places(one)["credential"] for one in ways] == [
        "authorization: Bearer", "authorization", "x-api-key", "x-other",
    ]  # fmt: skip


def test_what_is_missing_has_a_cure() -> None:
    cure = static.cure(BEARER, {"pin"})
    assert cure is not None
    assert (cure.sentence, cure.option) == ("Its entry asks for a credential; give it.", "--credential")
    assert static.cure(BEARER, {"credential"}) is None
