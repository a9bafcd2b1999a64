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
    assert passthrough.check(CRM, ()).fills == (header("authorization"),)


def test_only_an_audience_that_is_named_to_the_letter_is_passed_on() -> None:
    assert passthrough.against(CRM, "api://crm") == ""
    for other in ("api://CRM", "api://crm/", "api://", ""):
        assert repr(other) in passthrough.against(CRM, other)


OURS = ("https://gw.example", "https://pages.example:8443/base")


@pytest.mark.parametrize(
    "audience",
    [
        "https://gw.example/v1/mcp/work", "https://gw.example", "https://gw.example:443/", "HTTPS://GW.example/x",
        "https://pages.example:8443", "https://pages.example:8443/base/", "https://gw.example./v1/mcp/other",
    ],
)  # fmt: skip
def test_what_is_for_archway_alone_goes_on_to_nobody(audience: str) -> None:
    with pytest.raises(BrokenRule, match="is Archway's own"):
        passthrough.check(Passthrough(("crm", audience)), OURS)


@pytest.mark.parametrize(
    "audience",
    ["api://crm", "crm", "https://gw.example:8443", "http://gw.example", "https://gw.example.evil.test", "://"],
)
def test_an_audience_of_the_servers_is_kept_to_the_letter_and_once(audience: str) -> None:
    checked = passthrough.check(Passthrough((audience, audience)), OURS)
    assert checked.credential == Passthrough((audience,))


@pytest.mark.parametrize("audience", ["", " crm", "crm\n", "a\x00b", "x" * 2_049])
def test_an_audience_that_no_token_can_say_is_refused(audience: str) -> None:
    with pytest.raises(BrokenRule, match="visible characters"):
        passthrough.check(Passthrough((audience,)), OURS)
