import pytest

from control.credentials.kinds import passthrough
from control.registry.broken_rule import BrokenRule
from control.registry.credential import Passthrough
from control.registry.targets import header

CRM = Passthrough(("api://crm",))


def test_an_installation_brings_nothing_and_keeps_nothing() -> None:
    assert passthrough.take(CRM, None, {"credential": "old"}, "CRM") == {}
    assert (passthrough.places(CRM), passthrough.headers(CRM, {}), passthrough.cure(CRM, ())) == ({}, [], None)
    with pytest.raises(BrokenRule):
        passthrough.take(CRM, "key", {}, "CRM")


def test_it_fills_the_header_that_the_callers_token_takes() -> None:
    assert passthrough.check(CRM).fills == (header("authorization"),)


def test_only_an_audience_that_is_named_to_the_letter_is_passed_on() -> None:
    assert passthrough.against(CRM, "api://crm") == ""
    for other in ("api://CRM", "api://crm/", "api://", ""):
        assert repr(other) in passthrough.against(CRM, other)
