from typing import Any

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.credential import CheckedCredential, NoCredential, StaticCredential
from control.registry.entry import Entry
from control.registry.entry_rules import CheckedEntry, check_entry
from control.registry.fields import Field
from control.registry.targets import header
from core.egress.addresses import AddressPolicy
from tests.fakes.registry import a_wanted_entry, an_entry

POLICY = AddressPolicy()
NONE = CheckedCredential(NoCredential(), ())
HEADER = CheckedCredential(StaticCredential("header", "x-key"), (header("x-key"),))


def checked(
    url: str = "https://a.example/mcp",
    *,
    credential: CheckedCredential = NONE,
    before: Entry | None = None,
    **changes: Any,
) -> CheckedEntry:
    return check_entry(a_wanted_entry(url, **changes), credential, POLICY, before)


def test_an_entry_is_checked_into_the_form_that_is_kept() -> None:
    found = checked(
        "https://A.example/mcp",
        credential=HEADER,
        fields=(Field("a", "string", "X-A"),),
        fixed_headers={"X-B": "v"},
    )
    assert found.entry.credential == StaticCredential("header", "x-key")
    assert found.entry.fields[0].header == "x-a"
    assert (found.fixed_header_names, found.entry.fixed_headers) == (("x-b",), {"x-b": "v"})


def test_values_of_fixed_headers_do_not_show() -> None:
    assert "s3cr3t" not in repr(checked(fixed_headers={"x-b": "s3cr3t"}))


def test_an_unchanged_url_keeps_the_sealed_headers() -> None:
    found = checked(before=an_entry("https://a.example/mcp", fixed_header_names=("x-b",)))
    assert found.entry.fixed_headers is None
    assert found.fixed_header_names == ("x-b",)


@pytest.mark.parametrize("url", ["https://old.example/mcp", "https://a.example/of-somebody-else"])
def test_another_url_asks_for_them_again(url: str) -> None:
    before = an_entry(url, fixed_header_names=("x-b",))
    with pytest.raises(BrokenRule, match=f"fixed_headers: were given for {url}; give them again"):
        checked(before=before)
    assert checked(before=before, fixed_headers={"x-b": "v"}).fixed_header_names == ("x-b",)


def test_a_docs_link_may_lead_inside_but_must_be_a_link() -> None:
    assert checked(docs_url="http://10.0.0.1/wiki").entry.docs_url == "http://10.0.0.1/wiki"
    with pytest.raises(BrokenRule, match="docs_url: must begin with"):
        checked(docs_url="data:text/html,x")


@pytest.mark.parametrize("url", ["npx -y @x/server", "uvx mcp-server-time", "docker run -i mcp/time", "/opt/server"])
def test_a_command_where_the_url_belongs_is_told_what_to_do_with_it(url: str) -> None:
    with pytest.raises(BrokenRule, match=r"^url: is a command that starts a server, not a URL; .*servers-we-run\.md"):
        checked(url)


@pytest.mark.parametrize("url", ["crm.example.com/mcp", "ftp://a.example", "https://a b"])
def test_a_misspelt_url_keeps_its_own_sentence(url: str) -> None:
    with pytest.raises(BrokenRule, match=r"must begin with https|outside RFC 3986"):
        checked(url)


@pytest.mark.parametrize("url", ["127.0.0.1:9541/mcp", "localhost:9541/mcp", "[::1]:9541/mcp", "10.0.0.1/mcp"])
def test_an_address_without_a_scheme_is_told_with_the_one_that_was_probably_meant(url: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        checked(url)
    assert str(refused.value) == f"url: must begin with https:// or http://; did you mean http://{url}?"


@pytest.mark.parametrize("docs_url", ["/wiki", "npx docs"])
def test_a_docs_url_is_no_place_for_commands(docs_url: str) -> None:
    with pytest.raises(BrokenRule, match=r"docs_url: (must begin|empty)"):
        checked(docs_url=docs_url)


def test_a_slug_in_the_form_of_an_identifier_is_refused() -> None:
    with pytest.raises(BrokenRule, match="slug: has the form of an identifier"):
        checked(slug="01a220e4-79f7-7431-bafd-249d224283da")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "http://127.0.0.1/mcp"}, "url"),
        ({"visibility": "teams"}, "teams"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        checked(**changes)
    assert refused.value.field == field


def test_the_credential_and_a_fixed_header_do_not_share_a_name() -> None:
    with pytest.raises(BrokenRule, match="credential_placement: the header x-key is already filled"):
        checked(credential=HEADER, fixed_headers={"x-key": "v"})


def test_a_url_with_placeholders_needs_a_field_for_each() -> None:
    url = "https://{region}.A.example.com/mcp"
    found = checked(url, fields=(Field("region", "string"),))
    assert found.entry.reached.url == "https://{region}.a.example.com/mcp"
    with pytest.raises(BrokenRule, match=r"url: has the placeholder {region}"):
        checked(url)
    with pytest.raises(BrokenRule, match=r"fields\[0\]\.header: is needed"):
        checked(fields=(Field("region", "string"),))


def test_fixed_headers_do_not_follow_to_an_address_that_installations_choose() -> None:
    before = an_entry("https://eu.example.com/mcp", fixed_header_names=("x-b",))
    with pytest.raises(BrokenRule, match=r"fixed_headers: were given for https://eu\.example\.com"):
        checked("https://{region}.example.com/mcp", before=before, fields=(Field("region", "string"),))


@pytest.mark.parametrize(("kind", "options"), [("string", ()), ("select", ("eu", "us"))])
def test_a_key_that_all_share_goes_to_no_host_that_one_person_chooses(kind: Any, options: tuple[str, ...]) -> None:
    region = Field("region", kind, "", options=options)
    wanted = a_wanted_entry("https://{region}.example.com/mcp", fields=(region,), fixed_headers={"x-key": "k"})
    if kind == "select":
        assert check_entry(wanted, NONE, POLICY).fixed_header_names == ("x-key",)
        return
    with pytest.raises(BrokenRule, match="fixed_headers: would go to any host"):
        check_entry(wanted, NONE, POLICY)
