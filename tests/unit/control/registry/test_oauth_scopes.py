"""Scopes: the least that is asked for, and nothing that there is not."""

from __future__ import annotations

import pytest

from control.registry.oauth_scopes import ScopeUnknown, is_scope, scopes_of


@pytest.mark.parametrize(
    ("text", "scopes"),
    [("", ("mcp",)), ("mcp", ("mcp",)), ("offline_access", ("mcp", "offline_access")),
     ("offline_access  mcp mcp", ("mcp", "offline_access"))],
)  # fmt: skip
def test_what_is_asked_for_is_given_in_our_order_and_calling_always(text: str, scopes: tuple[str, ...]) -> None:
    assert scopes_of(text) == scopes


@pytest.mark.parametrize("text", ["*", "MCP", "mcp,offline_access", "openid", "mcp\tadmin", "m" * 300, "mcp " * 100])
def test_what_there_is_none_of_is_refused(text: str) -> None:
    with pytest.raises(ScopeUnknown) as refused:
        scopes_of(text)
    assert "openid" not in str(refused.value)


def test_no_more_is_given_than_was_allowed() -> None:
    with pytest.raises(ScopeUnknown):
        scopes_of("offline_access", ("mcp",))


@pytest.mark.parametrize("text", ["", "a b", 'a"', "a\\b", "a\n", "é", "s" * 201])
def test_what_has_a_space_a_quote_or_no_end_is_no_scope(text: str) -> None:
    assert not is_scope(text)


@pytest.mark.parametrize("text", ["mcp", "https://graph.microsoft.com/.default", "tools:read,write!", "s" * 200])
def test_scopes_of_whatever_form_are_scopes(text: str) -> None:
    assert is_scope(text)
