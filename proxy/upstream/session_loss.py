"""What an answer to a request in a legacy session says about the session: that it is lost, or may be, or lives.

MCP says 404 for a session that a server does not know. Servers say much else: 400 with "No valid session ID provided"
(`server-everything`, the samples of the TypeScript SDK), 401, 410 or 500 with "Session not found", a result's status
with the error -32001, plain text. The words that say nothing else are in `session_words`. Pure. Called by
`refused_calls`, `conversation` and `sent_call`.
"""

import enum
import re

from proxy.upstream.answers import Json
from proxy.upstream.session_words import is_only_of_opening, says_only_that
from proxy.upstream.unsuccessful import Unsuccessful


class Fate(enum.Enum):
    """What becomes of a session after an answer."""

    LIVES = "nothing was said against it"
    DOUBTED = "the call failed, perhaps because of it: the server is asked before it is used again"
    ENDS = "refused, with no word why: the next call opens another; what this one has done is not known"
    LOST = "the server does not know it, so the call was not run: it is sent again in another"


_WRONG = (
    r"not found|not exist|n't exist|unknown|invalid|not valid|expired|terminated|closed|ended|missing|required"
    r"|not recogni[sz]ed|not active|not available|no longer|not initiali[sz]ed|gone|lost|mismatch"
)
_SPOKEN_OF = re.compile(
    # Such as: Session not found; Mcp-Session-Id header is required.
    rf"session[\s\S]{{0,80}}?(?<![a-z])(?:{_WRONG})"
    # Such as: No valid session ID provided; No transport found for sessionId.
    r"|(?<![a-z])(?:no|unknown|invalid|missing|expired|stale|bad|not find|unrecogni[sz]ed)(?![a-z])"
    r"[\w\s,'\"-]{0,40}?session"
    # The SDKs of TypeScript, of Rust (Unexpected message, expect initialize request) and of Python.
    r"|server not initiali[sz]ed|expect(?:ed)? initiali[sz]e|before initiali[sz]ation",
    re.IGNORECASE,
)
_SAID_OF_SESSIONS = (-32000, -32001, -32600)
"""Codes of errors about the session in an answer that is a success. No set: a server may say a list."""
_GONE = frozenset({404, 410})
_OF_SOMETHING_ELSE = frozenset({401, 402, 403, 407, 408, 411, 413, 414, 415, 425, 426, 428, 429, 431, 451})
"""Refusals of a credential, a size, a media type, a rate: no other session would be taken either."""
_OF_THE_CALL = (-32601, -32602)
"""An error with our id and one of these codes is mostly about the call's method or arguments."""


def speaks_of_session(error: Json) -> bool:
    """Whether a JSON-RPC error that came with a success says that there is no such session."""
    code, message = error.get("code"), error.get("message")
    return code in _SAID_OF_SESSIONS and isinstance(message, str) and says_only_that(message)


def is_session_lost(answer: Json) -> bool:
    """The same of a whole message that answers a call."""
    error = answer.get("error")
    return isinstance(error, dict) and speaks_of_session(error)


def fate_after(answer: Unsuccessful, *, ours: int, has_id: bool) -> Fate:
    """What an unsuccessful answer means for the session. `ours`: the request's id; `has_id`: the session has one."""
    status, error = answer.status, answer.error
    is_ours = answer.is_to(ours)
    if _says_that_it_is_lost(answer, is_ours=is_ours, has_id=has_id):
        return Fate.LOST
    if not has_id:
        return Fate.LIVES
    if status in _GONE:
        return Fate.LOST
    if status < 400 or status in _OF_SOMETHING_ELSE:
        return Fate.LIVES
    of_the_call = is_ours and error is not None and error.get("code") in _OF_THE_CALL
    return Fate.DOUBTED if status >= 500 or of_the_call else Fate.ENDS


def _says_that_it_is_lost(answer: Unsuccessful, *, is_ours: bool, has_id: bool) -> bool:
    """Whether its words say so. The more it may be a tool's own error, the plainer they must be."""
    message, code = (None, None) if answer.error is None else (answer.error.get("message"), answer.error.get("code"))
    words = message if isinstance(message, str) else answer.words
    if answer.status < 400:
        return False
    if says_only_that(words) or (answer.status < 500 and is_only_of_opening(words)):
        # With our id it may be what the tool answered: of a session of its own, where the server has given none.
        return not is_ours or (code not in _OF_THE_CALL if has_id else code in _SAID_OF_SESSIONS)
    return has_id and not is_ours and answer.status < 500 and _SPOKEN_OF.search(words) is not None
