"""Which URLs may be clients' identifiers (row O-7), and how long their documents are fresh."""

from __future__ import annotations

import pytest

from control.oauth.clients.cimd import checked_url, fresh_for, is_document_url, is_json
from control.oauth.errors import NotSentBack

URL = "https://client.example/oauth/client.json"
BAD = {
    "trailing slash": "https://client.example/",
    "%2e%2e": "https://client.example/a/%2e%2e/b",
    "userinfo": "https://user@client.example/client.json",
    "fragment": f"{URL}#f",
    "http": URL.replace("https", "http"),
    "port of its own": "https://client.example:443/client.json",
    "query": f"{URL}?a=b",
    "no path": "https://client.example",
}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"O-7: {name}") for name in BAD])
def test_a_url_that_could_be_written_in_another_way_is_no_identifier(name: str) -> None:
    with pytest.raises(NotSentBack):
        checked_url(BAD[name])


@pytest.mark.parametrize(
    "url",
    ["https://CLIENT.example/c.json", "https://client.example./c.json", "https://client.example/a/../c", "https:///c",
     "https://client.example/" + "a" * 1_024, "HTTPS://client.example/c.json", "https://client.example/%c3\u00a9"],
)  # fmt: skip
def test_other_spellings_are_refused_too(url: str) -> None:
    with pytest.raises(NotSentBack):
        checked_url(url)


@pytest.mark.parametrize(
    "url", [URL, "https://claude.ai/oauth/mcp-oauth-client-metadata", "https://a.example:8443/c"]
)
def test_a_plain_https_url_with_a_path_is_one(url: str) -> None:
    assert checked_url(url) == url
    assert is_document_url(url)


def test_our_own_identifiers_are_no_urls() -> None:
    assert not is_document_url("0199c1f2-6d7c-7c1a-b1de-0f6f5f1f3a10")


@pytest.mark.parametrize(
    ("media", "json"),
    [("application/json", True), ("Application/JSON; charset=utf-8", True), ("application/client+json", True),
     ("text/html", False), ("", False), ("text/plain+json", False)],
)  # fmt: skip
def test_a_document_says_that_it_is_json(media: str, json: bool) -> None:
    assert is_json(media) is json


def test_a_document_that_says_nothing_is_fresh_for_five_minutes() -> None:
    assert fresh_for({}) == 300.0
