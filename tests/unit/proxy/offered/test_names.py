from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.snapshot import Offer, OfferKind, Route
from proxy.offered.names import MOST_COMPARED, Found, Shown, shown, whose, whose_template, with_name, without_name


def offer(name: str, kind: OfferKind = "resources") -> Offer:
    return Offer(name, kind, f"a-{name}", f"{name}__all", Route("remote", "e", name))


CRM, WIKI = offer("crm"), offer("wiki")


def found(one: Offer, *uris: str) -> Found:
    return Found(one, tuple({"uri": uri, "name": "n"} for uri in uris))


def test_what_one_server_alone_lists_keeps_its_uri() -> None:
    listed = shown([found(CRM, "a://1"), found(WIKI, "b://2")], "uri")
    assert [(one.exposed, one.offer.name, one.item["uri"]) for one in listed] == [
        ("a://1", "crm", "a://1"),
        ("b://2", "wiki", "b://2"),
    ]


def test_what_two_list_gets_the_name_of_each_before_it_and_leads_back_to_each() -> None:
    listed = shown([found(CRM, "file:///x", "a://1"), found(WIKI, "file:///x")], "uri")
    assert [one.exposed for one in listed] == ["crm+file:///x", "a://1", "wiki+file:///x"]
    assert [one.item["uri"] for one in listed] == [one.exposed for one in listed]
    assert whose(listed, "wiki+file:///x") == (WIKI, "file:///x")
    assert whose(listed, "file:///x") is None


def test_prompts_are_told_apart_as_tools_are() -> None:
    one, other = offer("crm", "prompts"), offer("wiki", "prompts")
    listed = shown([Found(one, ({"name": "greet"},)), Found(other, ({"name": "greet"}, {"name": "own"}))], "name")
    assert [shown_as.exposed for shown_as in listed] == ["crm__greet", "wiki__greet", "own"]


def test_an_app_stays_one_by_its_scheme() -> None:
    assert with_name(CRM, "ui://board/1") == "ui://crm+board/1"
    assert without_name([WIKI, CRM], "ui://crm+board/1") == (CRM, "ui://board/1")


def test_a_name_that_begins_with_a_digit_is_no_scheme_and_gets_a_letter() -> None:
    one = offer("1password")
    assert with_name(one, "file:///x") == "n1password+file:///x"
    assert without_name([one], "n1password+file:///x") == (one, "file:///x")


@pytest.mark.parametrize("exposed", ["file:///x", "other+file:///x", "crm+", "", "ui://wiki"])
def test_what_has_nobodys_name_before_it_is_nobodys(exposed: str) -> None:
    assert without_name([CRM], exposed) is None


@pytest.mark.parametrize("items", [({"uri": 3},), ({"name": "n"},), ({"uri": ""},), ({},)])
def test_what_has_no_name_is_not_shown(items: tuple[dict[str, object], ...]) -> None:
    assert shown([Found(CRM, items)], "uri") == []


def test_what_a_server_lists_twice_is_shown_once() -> None:
    assert [one.exposed for one in shown([found(CRM, "a://1", "a://1")], "uri")] == ["a://1"]


def templates(*pairs: tuple[Offer, str]) -> list[Found]:
    return [Found(one, ({"uriTemplate": template},)) for one, template in pairs]


def test_a_template_leads_to_its_server_and_those_of_several_to_none() -> None:
    listed = shown(templates((CRM, "crm://{id}"), (WIKI, "wiki://{id}")), "uriTemplate")
    assert whose_template(listed, "wiki://7") == (WIKI, "wiki://7")
    both = shown(templates((CRM, "x://{id}"), (WIKI, "x://{+rest}")), "uriTemplate")
    assert whose_template(both, "x://7") is None
    assert whose_template(both, "y://7") is None


@given(
    st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True), st.from_regex(r"[a-z]{1,8}://[!-~]{1,30}", fullmatch=True)
)
def test_a_uri_with_a_name_before_it_leads_back(name: str, uri: str) -> None:
    one = offer(name)
    assert without_name([one], with_name(one, uri)) == (one, uri)


@pytest.mark.parametrize("imitated", ["crm+file:///x", "ui://crm+board/1"])
def test_a_server_that_lists_what_begins_as_anothers_is_not_taken_for_it(imitated: str) -> None:
    listed = shown([found(WIKI, imitated)], "uri", [WIKI, CRM])
    assert whose(listed, imitated) is None
    assert without_name([WIKI, CRM], imitated) == (CRM, imitated.replace("crm+", ""))
    assert whose(listed, with_name(WIKI, imitated)) == (WIKI, imitated)


def test_a_server_may_list_what_begins_as_its_own() -> None:
    assert [one.exposed for one in shown([found(CRM, "crm+x://1")], "uri", [WIKI, CRM])] == ["crm+x://1"]


def test_what_a_template_with_its_offers_name_before_it_makes_goes_to_the_server_without_that_name() -> None:
    listed = shown(templates((CRM, "x://{id}"), (WIKI, "x://{id}")), "uriTemplate", [WIKI, CRM])
    assert whose_template(listed, "wiki+x://1", [WIKI, CRM]) == (WIKI, "x://1")


def test_a_template_that_makes_anything_does_not_make_what_is_anothers() -> None:
    listed = shown(templates((WIKI, "{+all}")), "uriTemplate", [WIKI, CRM])
    assert whose_template(listed, "a://1", [WIKI, CRM]) == (WIKI, "a://1")
    assert whose_template(listed, "crm+a://1", [WIKI, CRM]) is None


def test_of_a_server_with_templates_without_end_the_first_are_compared() -> None:
    many = [Shown(f"a{number}://{{id}}", WIKI, "", {}) for number in range(MOST_COMPARED + 1)]
    assert whose_template(many, f"a{MOST_COMPARED - 1}://1") is not None
    assert whose_template(many, f"a{MOST_COMPARED}://1") is None
