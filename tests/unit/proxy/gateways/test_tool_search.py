from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.gateways.tool_search import ToolSearch, signature
from tests.searched.published import published_tools, questions


def defined(name: str, description: str = "", **properties: Any) -> dict[str, Any]:
    return {"name": name, "description": description, "inputSchema": {"type": "object", "properties": properties}}


def search_of(definitions: Iterable[dict[str, Any]]) -> ToolSearch:
    """The index of these tools, made at once."""
    made = ToolSearch()
    for definition in definitions:
        made.add(definition)
    made.finish()
    return made


TOOLS = [
    defined("github__create_issue", "Open a new issue in a repository.", title={"type": "string"}),
    defined("github__list_issues", "List the issues of a repository.", state={"description": "open or closed"}),
    defined("jira__createTicket", "Make a ticket.", project={"type": "string"}),
    defined("slack__send_message", "Post words to a channel.", channel={"description": "the name of a room"}),
    defined("weather__forecast", "How warm it will be tomorrow.", city={"type": "string"}),
]

INDEX = search_of(TOOLS)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("create issue", "github__create_issue"),
        ("listing the issues", "github__list_issues"),
        ("ticket", "jira__createTicket"),
        ("create ticket", "jira__createTicket"),
        ("post a message", "slack__send_message"),
        ("room", "slack__send_message"),
        ("tomorrow", "weather__forecast"),
        ("CITY", "weather__forecast"),
        ("slack__send_message", "slack__send_message"),
    ],
)
def test_the_tool_that_is_meant_comes_first(query: str, first: str) -> None:
    assert INDEX.find(query)[0] == first


def test_no_more_than_fifty_are_found() -> None:
    assert len(search_of(defined(f"t_{n}", "Same words.") for n in range(60)).find("words")) == 50


@pytest.mark.parametrize("query", ["", "  ", "!!!", "zzzz", "\x00"])
def test_words_that_fit_nothing_find_nothing(query: str) -> None:
    assert INDEX.find(query) == []


@given(st.text(max_size=200))
def test_no_words_are_an_operator(query: str) -> None:
    assert len(INDEX.find(query)) <= len(TOOLS)


def test_an_index_of_no_tools_finds_nothing() -> None:
    assert search_of([]).find("anything") == []


def test_a_signature_says_what_must_be_given() -> None:
    definition = defined("t", "", repo={"type": "string"}, labels={"type": ["array", "null"]}, other={}, odd=True)
    definition["inputSchema"]["required"] = ["repo"]
    assert signature(definition) == "t(repo: string, labels?: array or null, other?: any, odd?: any)"
    assert signature({"name": "t"}) == "t()"


def test_of_forty_questions_to_a_thousand_published_tools_thirty_six_find_their_answer_in_the_first_eight() -> None:
    tools, asked = published_tools(), questions()
    names = {one["name"] for one in tools}
    assert len(names) == len(tools) >= 1_000
    assert len(asked) == 40
    assert all(names.issuperset(answers) for _, answers in asked)
    index = search_of(tools)
    missed = [question for question, answers in asked if not set(answers) & set(index.find(question)[:8])]
    assert len(missed) <= 4, missed


def test_words_that_say_nothing_of_a_tool_find_nothing() -> None:
    assert INDEX.find("what can you do for me") == []


def test_a_word_counts_by_how_rare_it_is_in_all_definitions_and_not_in_names_alone() -> None:
    tools = [defined(f"mail__send_{n}", "Send mail.") for n in range(9)]
    tools += [defined("mail__archive", "Put old letters away."), defined("desk__letters", "Send mail.")]
    assert search_of(tools).find("archive letters")[0] == "mail__archive"
