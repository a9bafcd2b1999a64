"""What refusals of real servers say about a session."""

import pytest

from proxy.upstream.session_loss import Fate, fate_after, speaks_of_session
from proxy.upstream.unsuccessful import Unsuccessful

OURS = 7
LOST = [
    "Bad Request: No valid session ID provided",
    "Session not found",
    "Invalid or missing session ID",
    "Bad Request: Server not initialized",
    "Bad Request: Mcp-Session-Id header is required",
    "Unexpected message, expect initialize request",
    "No transport found for sessionId",
    "Session with id 12-ab does not exist",
    "Not Found: Session has been terminated",
    "Received request before initialization was complete",
    "SESSION_EXPIRED",
]
OTHER = ["", "Not Found", "Method not found", "Too many sessions", "Permission denied in this session", "Timed out"]


@pytest.mark.parametrize("text", LOST)
@pytest.mark.parametrize("has_id", [True, False])
def test_words_about_the_session_mean_that_it_is_lost(text: str, has_id: bool) -> None:
    assert fate_after(Unsuccessful(400, words=text), ours=OURS, has_id=has_id) is Fate.LOST


@pytest.mark.parametrize("text", OTHER)
def test_other_words_end_it_and_the_call_may_have_run(text: str) -> None:
    assert fate_after(Unsuccessful(400, words=text), ours=OURS, has_id=True) is Fate.ENDS


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        (404, Fate.LOST),
        (410, Fate.LOST),
        (400, Fate.ENDS),
        (405, Fate.ENDS),
        (422, Fate.ENDS),
        (500, Fate.DOUBTED),
        (503, Fate.DOUBTED),
        (301, Fate.LIVES),
        (401, Fate.LIVES),
        (403, Fate.LIVES),
        (413, Fate.LIVES),
        (429, Fate.LIVES),
    ],
)
def test_a_status_without_words_means(status: int, fate: Fate) -> None:
    assert fate_after(Unsuccessful(status), ours=OURS, has_id=True) is fate
    assert fate_after(Unsuccessful(status), ours=OURS, has_id=False) is Fate.LIVES


@pytest.mark.parametrize(("request_id", "fate"), [(OURS, Fate.DOUBTED), (None, Fate.ENDS), (8, Fate.ENDS)])
def test_an_error_about_the_arguments_of_this_very_call_only_makes_doubt(request_id: object, fate: Fate) -> None:
    said = Unsuccessful(400, {"code": -32602, "message": "no"}, request_id, "no")
    assert fate_after(said, ours=OURS, has_id=True) is fate


@pytest.mark.parametrize(
    "text", ["Session not found", "Internal Server Error: Session not found", "Invalid session ID", "No such session"]
)
def test_a_server_that_fails_must_say_nothing_but_that(text: str) -> None:
    assert fate_after(Unsuccessful(500, words=text), ours=OURS, has_id=True) is Fate.LOST


@pytest.mark.parametrize(
    "text", ["the browser session was closed", "Error: browser session not found", "session limit: page is gone"]
)
def test_a_tools_own_session_is_none_of_ours_where_the_tool_may_have_run(text: str) -> None:
    assert fate_after(Unsuccessful(500, words=text), ours=OURS, has_id=True) is Fate.DOUBTED
    assert not speaks_of_session({"code": -32000, "message": text})


@pytest.mark.parametrize(
    ("code", "message", "lost"),
    [
        (-32001, "Session not found", True),
        (-32000, "Bad Request: No valid session ID provided", True),
        (-32600, "Session terminated", True),
        (-32603, "Session not found", False),
        (-32602, "Session not found", False),
        (-32001, "Request timed out", False),
        (-32001, None, False),
    ],
)
def test_an_error_in_a_success_needs_its_code_and_its_words(code: int, message: object, lost: bool) -> None:
    assert speaks_of_session({"code": code, "message": message}) is lost


TOOLS_OWN = [
    (400, -32000, "The browser session was closed by the user"),
    (400, -32603, "Session of the page has expired, log in again"),
    (422, -32602, "Argument 'session' is required"),
    (400, -32602, "Session not found"),
    (409, -32001, "No active checkout session"),
    (400, -32600, "unknown session for this shopping cart"),
]


@pytest.mark.parametrize("has_id", [True, False], ids=["with an id", "without"])
@pytest.mark.parametrize("id_type", [int, str])
@pytest.mark.parametrize(("status", "code", "text"), TOOLS_OWN)
def test_an_error_with_our_id_that_only_mentions_a_session_never_sends_the_call_again(
    status: int, code: int, text: str, id_type: type, has_id: bool
) -> None:
    said = Unsuccessful(status, {"code": code, "message": text}, id_type(OURS), text)
    assert fate_after(said, ours=OURS, has_id=has_id) is not Fate.LOST


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (-32000, "Bad Request: No valid session ID provided"),
        (-32001, "Session not found"),
        (-32000, "Bad Request: Server not initialized"),
        (-32600, "Bad Request: Mcp-Session-Id header is required"),
        (-32000, "Invalid or missing session ID"),
    ],
)
@pytest.mark.parametrize("has_id", [True, False], ids=["with an id", "without"])
@pytest.mark.parametrize("request_id", [OURS, None], ids=["our id", "no id"])
def test_an_error_that_says_nothing_but_that_is_about_the_session(
    code: int, text: str, has_id: bool, request_id: int | None
) -> None:
    said = Unsuccessful(400, {"code": code, "message": text}, request_id, text)
    assert fate_after(said, ours=OURS, has_id=has_id) is Fate.LOST


@pytest.mark.parametrize(
    "text",
    ["The browser session was closed by the user", "Argument 'session' is required", "No active checkout session"],
)
@pytest.mark.parametrize("status", [400, 409, 422])
def test_where_a_server_keeps_no_sessions_words_that_mention_one_are_about_something_else(
    status: int, text: str
) -> None:
    assert fate_after(Unsuccessful(status, words=text), ours=OURS, has_id=False) is Fate.LIVES
    assert fate_after(Unsuccessful(status, {"message": text}, None, text), ours=OURS, has_id=False) is Fate.LIVES


@pytest.mark.parametrize("text", ["No active checkout session", "invalid shopping cart session"])
def test_a_session_with_a_word_of_the_tools_before_it_is_the_tools_own(text: str) -> None:
    assert not speaks_of_session({"code": -32000, "message": text})
