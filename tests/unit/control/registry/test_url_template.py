from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.registry.broken_rule import BrokenRule
from control.registry.url_template import UrlTemplate, check_template, fill_template, placeholders, why_not
from core.egress.addresses import ANYWHERE, AddressPolicy, UrlRefused, check_url

PUBLIC = AddressPolicy()
BOTH = "https://{region}.example.com/mcp/{workspace}"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (BOTH, BOTH),
        ("HTTPS://{region}.Example.COM.:443/MCP/{workspace}/", "https://{region}.example.com/MCP/{workspace}/"),
        ("https://{r}.example.com", "https://{r}.example.com/"),
        ("https://{r}.example.com:8443/a?b=c", "https://{r}.example.com:8443/a?b=c"),
        ("https://api.{r}.example.com/", "https://api.{r}.example.com/"),
        ("https://example.com/{a}/x/{b}", "https://example.com/{a}/x/{b}"),
        ("https://com/{a}", "https://com/{a}"),
        ("http://[2606:4700::1111]/{a}", "http://[2606:4700::1111]/{a}"),
        ("http://1.1/{a}", "http://1.0.0.1/{a}"),
        ("https://Time.Example:443/mcp?x=1", "https://time.example/mcp?x=1"),
    ],
)
def test_a_template_is_kept_in_normal_form(given: str, kept: str) -> None:
    assert check_template(given, PUBLIC) == kept
    assert check_template(kept, PUBLIC) == kept


@pytest.mark.parametrize("url", ["https://a.example/mcp", "https://a.example", "http://a.example:81/x/../y?z"])
def test_a_url_without_placeholders_is_checked_as_every_url(url: str) -> None:
    assert check_template(url, PUBLIC) == check_url(url, PUBLIC, purpose="url")
    assert placeholders(url) == {}


def test_placeholders_are_told_with_what_they_stand_for() -> None:
    assert placeholders(BOTH) == {"region": "host label", "workspace": "path segment"}


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://{Region}.example.com/", "brace that belongs to no placeholder"),
        ("https://{}.example.com/", "brace that belongs to no placeholder"),
        ("https://{a b}.example.com/", "brace that belongs to no placeholder"),
        ("https://example.com/{a", "brace that belongs to no placeholder"),
        ("https://example.com/{{a}}", "brace that belongs to no placeholder"),
        ("https://x{a}.example.com/", r"{a} where none can stand"),
        ("https://{a}{b}.example.com/", r"{a} where none can stand"),
        ("https://example.com/v{a}", r"{a} where none can stand"),
        ("https://example.com/{a}.json", r"{a} where none can stand"),
        ("https://example.com/.{a}", r"{a} where none can stand"),
        ("https://example.com/mcp?site={a}", r"{a} where none can stand"),
        ("https://example.com/{a}?site={a}", r"{a} twice"),
        ("https://{a}.example.com/{a}", r"{a} twice"),
        ("https://[2606::{a}]/", r"{a} where none can stand"),
        ("https://{a}.{b}.example.com/", "several placeholders in its host"),
        ("https://{a}/", "anybody may have"),
        ("https://{a}.com/", "anybody may have"),
        ("https://{a}.co.uk/", "anybody may have"),
        ("https://example.{a}/", "anybody may have"),
        ("https://example.{a}.com/", "anybody may have"),
        ("https://{a}.github.io/", "anybody may have"),
        ("https://{a}.GitHub.IO./", "anybody may have"),
        ("https://{a}.co.uk:8443/", "anybody may have"),
    ],
)
def test_a_placeholder_stands_only_where_it_can_do_no_harm(url: str, why: str) -> None:
    with pytest.raises(BrokenRule, match=why) as refused:
        check_template(url, PUBLIC)
    assert refused.value.field == "url"


@pytest.mark.parametrize(
    "url",
    [
        "{scheme}://example.com/", "https://example.com:{port}/", "https://{user}@example.com/", "https://{a}.0.0.1/",
        "https://{a}.0x7f.1/", "https://example.com/{a}#{b}", "https://exa mple.com/{a}", "http://10.0.0.1/{a}",
        "https://example.com\\{a}", "https://exämple.com/{a}", "//example.com/{a}", "https:///{a}", "",
    ],
)  # fmt: skip
def test_the_rest_of_a_template_is_a_url_that_may_be_asked(url: str) -> None:
    with pytest.raises(UrlRefused):
        check_template(url, PUBLIC)


def test_answers_stand_in_their_places_each_encoded_by_itself() -> None:
    filled = fill_template(BOTH, {"region": "EU-1", "workspace": 'a b:c+"{region}"'}, PUBLIC)
    assert filled == "https://eu-1.example.com/mcp/a%20b%3Ac%2B%22%7Bregion%7D%22"


@pytest.mark.parametrize("answer", ["eu", "EU", "1", "a-b", "x" * 63, "xn--mnchen-3ya"])
def test_a_host_label_is_a_label(answer: str) -> None:
    assert why_not("host label", answer) is None


@pytest.mark.parametrize("answer", ["acme", "A b", "4711", "...", "a=b&c", "x" * 255, "~", "-", "a'b"])
def test_a_path_segment_is_a_segment(answer: str) -> None:
    assert why_not("path segment", answer) is None


def test_what_makes_too_long_an_address_is_refused() -> None:
    url = f"https://{{a}}.{'x' * 60}.{'x' * 60}.{'x' * 60}.example.com/"
    assert fill_template(url, {"a": "y"}, PUBLIC)
    with pytest.raises(BrokenRule, match=r"values\.a: makes no address"):
        fill_template(url, {"a": "y" * 63}, PUBLIC)


def test_an_address_that_an_answer_makes_is_held_against_the_policy() -> None:
    assert fill_template("http://127.0.0.1/{a}", {"a": "x"}, ANYWHERE) == "http://127.0.0.1/x"
    with pytest.raises(BrokenRule, match=r"values\.a: makes no address that can be used: .*loopback"):
        fill_template("http://127.0.0.1/{a}", {"a": "x"}, PUBLIC)


def test_an_answer_that_is_missing_is_named() -> None:
    with pytest.raises(BrokenRule, match=r"values\.workspace: is needed"):
        fill_template(BOTH, {"region": "eu"}, PUBLIC)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=70) | st.from_regex(r"[a-z./?#@\\%;:\[\] {}-]{0,20}")


@given(region=TEXTS, workspace=TEXTS)
def test_no_answer_changes_any_other_part_of_the_address(region: str, workspace: str) -> None:
    try:
        filled = fill_template(BOTH, {"region": region, "workspace": workspace}, PUBLIC)
    except BrokenRule:
        return
    parts = urlsplit(filled)
    host, segments = parts.netloc.split("."), parts.path.split("/")
    assert (parts.scheme, parts.query, parts.fragment) == ("https", "", "")
    assert host == [region.lower(), "example", "com"]
    assert segments[:2] == ["", "mcp"]
    assert [unquote(one) for one in segments[2:]] == [workspace]
    assert workspace not in {"", ".", ".."}


def test_the_parts_of_a_url_make_the_same_url() -> None:
    for url in (BOTH, "https://a.example/", "http://[::1]:81/x/{y}?q", "https://a.example//b"):
        assert UrlTemplate.of(url).put_together() == url
