"""Words that say nothing but that a session is lost."""

import pytest

from proxy.upstream.session_words import is_loss_without_form, is_only_of_opening, says_only_that

LOST = [
    "Session not found",
    "session not found.",
    "Session not found or has expired.",
    "Not Found: Session does not exist",
    "Session has been terminated",
    "Session expired, please initialize again",
    "Session not found. Please reinitialize.",
    "MCP session 12-ab is not valid",
    "SESSION_EXPIRED",
    "Invalid session ID",
    "Bad Request: No valid session ID provided or not an initialization request",
    "No session found",
    "Unknown Mcp-Session-Id header",
    "No transport found for sessionId",
]
OTHER = [
    "",
    "Session",
    "The browser session was closed by the user",
    "Session closed",
    "Session not found: page 3",
    "No active checkout session",
    "Session not found in the shop, log in again",
    "Argument 'session' is required",
    "Session " + "x" * 500 + " not found",
    "a: " * 200 + "Session not found",
]


@pytest.mark.parametrize("words", LOST)
def test_these_say_only_that(words: str) -> None:
    assert says_only_that(words)


@pytest.mark.parametrize("words", OTHER)
def test_these_may_be_a_tools_own(words: str) -> None:
    assert not says_only_that(words)


@pytest.mark.parametrize(
    ("words", "only"),
    [
        ("Bad Request: Server not initialized", True),
        ("Mcp-Session-Id header is required", True),
        ("Received request before initialization was complete", True),
        ("Server not initialized by its owner", False),
    ],
)
def test_a_session_that_was_not_opened_is_told_in_words_of_the_protocol(words: str, only: bool) -> None:
    assert is_only_of_opening(words) is only


@pytest.mark.parametrize(
    ("value", "is_loss"),
    [
        ({"error": "Session not found"}, True),
        ({"error": {"message": "Session not found"}}, True),
        ({"message": "Session has expired"}, True),
        ({"jsonrpc": "2.0", "error": {"message": "Session not found"}}, False),
        ({"result": {}, "error": "Session not found"}, False),
        ({"error": "the shop is closed"}, False),
        ({"error": 7}, False),
        ({}, False),
        (["Session not found"], False),
        ("Session not found", False),
    ],
)
def test_json_that_is_no_message_may_say_it(value: object, is_loss: bool) -> None:
    assert is_loss_without_form(value) is is_loss
