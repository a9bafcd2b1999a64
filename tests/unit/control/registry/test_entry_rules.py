from typing import Any

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.entry_rules import check_entry
from control.registry.fields import Field
from core.egress.addresses import AddressPolicy

POLICY = AddressPolicy()
ENTRY: dict[str, Any] = {
    "url": "https://a.example/mcp", "docs_url": "", "visibility": "organisation", "teams": [],
    "credential_model": "none", "credential_placement": None,
}  # fmt: skip
HEADER = {"credential_model": "static", "credential_placement": {"style": "header", "header": "X-Key"}}


def test_an_entry_is_checked_into_the_columns_of_its_row() -> None:
    fields = [Field("a", "string", "X-A")]
    columns = check_entry({**ENTRY, **HEADER}, fields, {"X-B": "v"}, POLICY).columns()
    assert columns["credential_placement"] == {"style": "header", "header": "x-key"}
    assert columns["fields"][0]["header"] == "x-a"
    assert columns["fixed_header_names"] == ["x-b"]


def test_values_of_fixed_headers_do_not_show() -> None:
    assert "s3cr3t" not in repr(check_entry(ENTRY, [], {"x-b": "s3cr3t"}, POLICY))


def test_an_unchanged_origin_keeps_the_sealed_headers() -> None:
    before = {"url": "https://a.example/old", "fixed_header_names": ["x-b"]}
    checked = check_entry(ENTRY, [], None, POLICY, before)
    assert checked.fixed_headers is None
    assert checked.fixed_header_names == ["x-b"]


def test_another_origin_asks_for_them_again() -> None:
    before = {"url": "https://old.example/mcp", "fixed_header_names": ["x-b"]}
    with pytest.raises(BrokenRule, match=r"fixed_headers: were given for https://old\.example"):
        check_entry(ENTRY, [], None, POLICY, before)
    assert check_entry(ENTRY, [], {"x-b": "v"}, POLICY, before).fixed_header_names == ["x-b"]


def test_a_docs_link_may_lead_inside_but_must_be_a_link() -> None:
    assert (
        check_entry({**ENTRY, "docs_url": "http://10.0.0.1/wiki"}, [], {}, POLICY).docs_url == "http://10.0.0.1/wiki"
    )
    with pytest.raises(BrokenRule, match="docs_url: must begin with"):
        check_entry({**ENTRY, "docs_url": "data:text/html,x"}, [], {}, POLICY)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "http://127.0.0.1/mcp"}, "url"),
        ({"visibility": "teams"}, "teams"),
        ({"credential_placement": {"style": "bearer"}}, "credential_placement"),
        ({"credential_model": "static"}, "credential_placement"),
        ({"credential_model": "static", "credential_placement": {"style": "header"}}, "credential_placement.header"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        check_entry({**ENTRY, **changes}, [], {}, POLICY)
    assert refused.value.field == field


def test_the_credential_and_a_fixed_header_do_not_share_a_name() -> None:
    with pytest.raises(BrokenRule, match="credential_placement: fills x-key"):
        check_entry({**ENTRY, **HEADER}, [], {"x-key": "v"}, POLICY)
