import pytest

from control.credentials.kinds import none
from control.registry.broken_rule import BrokenRule
from control.registry.credential import CheckedCredential, NoCredential

NONE = NoCredential()


def test_it_fills_no_header_and_misses_nothing() -> None:
    assert none.check(NONE) == CheckedCredential(NONE, ())
    assert none.headers(NONE, {"credential": "k"}) == []
    assert none.cure(NONE, ()) is None


def test_a_credential_that_nobody_would_send_is_not_taken() -> None:
    assert none.take(NONE, None, {"credential": "old"}, "CRM") == {}
    with pytest.raises(BrokenRule, match="credential: is not accepted by CRM"):
        none.take(NONE, "k3y", {}, "CRM")


def test_it_has_no_place_in_a_request() -> None:
    assert none.places(NoCredential()) == {}
