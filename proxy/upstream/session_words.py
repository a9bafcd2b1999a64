"""Words that say that a session is lost, and nothing else.

Where a tool may have run, only these count: other words (`the browser session was closed`) may be the tool's own.
Pure. Called by `session_loss` for refusals and errors, and by `answers` for what is no JSON-RPC message at all.
"""

import re
from typing import Final

_WHERE = r"(?:[\w ]{1,40}: )?"
_STATE = (
    r"(?:(?:is |was |has )?(?:been )?"
    r"(?:not found|unknown|invalid|not valid|expired|terminated|not initialized|no longer valid)|does not exist)"
)
_AGAIN = r"(?:[.,;]? (?:please )?(?:re-?)?(?:initiali[sz]e|connect)(?: again| first)?)?\.?"
"""What to do about it, as some add."""
_ALONE = re.compile(
    rf"{_WHERE}"
    # Such as: Session not found; MCP session with id 12-ab has expired; Session not found or has expired.
    r"(?:(?:mcp[- ])?session(?:[- ]?id)?(?: with id)?(?: [\"']?[\w-]{1,128}[\"']?)?"
    rf" {_STATE}(?: or {_STATE})?"
    # Such as: No valid session ID provided; Invalid or missing session ID; No transport found for sessionId.
    r"|(?:no|invalid|unknown|expired|missing)"
    r"(?: (?:or|valid|invalid|active|such|known|unknown|open|existing|expired|missing"
    r"|transport|found|for|the|this)){0,3}"
    r" (?:mcp[- ])?session(?:[- ]?id)?(?: provided| found| header)?(?: or not an initiali[sz]\w{1,9} request)?)"
    rf"{_AGAIN}",
    re.IGNORECASE,
)
_NOT_OPENED = re.compile(
    rf"{_WHERE}(?:(?:mcp )?server not initiali[sz]ed"
    r"|(?:missing )?mcp-session-id(?: header)?(?:(?: is)? (?:required|missing))?"
    r"|unexpected message, expect(?:ed)? initiali[sz]e request"
    r"|received request before initiali[sz]ation was complete)\.?",
    re.IGNORECASE,
)
_LONGEST: Final = 512
"""Characters of words that are looked at."""


def says_only_that(words: str) -> bool:
    """Whether words say that there is no such session, and nothing but that."""
    return len(words) <= _LONGEST and _ALONE.fullmatch(words.replace("_", " ")) is not None


def is_only_of_opening(words: str) -> bool:
    """Whether words say nothing but that a session was not opened, in words of the protocol that no tool uses."""
    return len(words) <= _LONGEST and _NOT_OPENED.fullmatch(words) is not None


def is_loss_without_form(value: object) -> bool:
    """Whether JSON that came with a success, and is no JSON-RPC message, says only that the session is lost: some
    servers answer {"error": "Session not found"}.
    """
    if not isinstance(value, dict) or "jsonrpc" in value or "result" in value:
        return False
    told = value.get("error", value.get("message"))
    words = told.get("message") if isinstance(told, dict) else told
    return isinstance(words, str) and says_only_that(words)
