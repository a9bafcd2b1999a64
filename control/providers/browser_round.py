"""A browser's way to an OAuth server and back: the address that it is sent to, and what must come back with it. Pure.

Called by `control/identity/round_trip.py` and `control/credentials/upstream_oauth/authorize.py`, which say what they
ask for. Leaves out what was kept of the beginning, and for how long.
"""

import hmac
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

AGE_S: Final = 600.0
"""A person may take so long at the provider."""
LONGEST_CODE: Final = 8 << 10


class BadReturn(Exception):
    """What came back does not belong to what was begun here; the sentence is for the person.

    `why`: a word for records: `state`, `late`, `issuer`, `denied`, `refused` or `no_code`. `error`: the provider's
    own word, where it gave one.
    """

    def __init__(self, why: str, sentence: str, error: str = "") -> None:
        super().__init__(sentence)
        self.why = why
        self.error = error


def new_state() -> str:
    """What must come back, and nobody can guess."""
    return secrets.token_urlsafe(32)


def new_verifier() -> str:
    """What proves that whoever brings a code is who asked for it (PKCE, RFC 7636)."""
    return secrets.token_urlsafe(48)


def address_with(endpoint: str, parameters: Mapping[str, str]) -> str:
    """Where the browser is sent: the endpoint, with its own query kept and the parameters that are not empty."""
    parts = urlsplit(endpoint)
    filled = {name: value for name, value in parameters.items() if value}
    query = "&".join(part for part in (parts.query, urlencode(filled)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def code_in(answer: Mapping[str, str], *, state: str, issuer: str, names_issuer: bool, late: bool, whom: str) -> str:
    """The code that came back; raises BadReturn where the answer is not the one to what was begun.

    In this order: the state, the age, who answers (RFC 9207: where the server says that it names itself it must, and
    whatever it says must be the issuer to the letter), the server's refusal, the code. `whom`: what the sentences
    call the server.
    """
    if not _equal(answer.get("state", ""), state):
        raise BadReturn("state", "This sign-in was not begun in this browser, or has ended already: begin again.")
    if late:
        raise BadReturn("late", "This sign-in took longer than ten minutes: begin again.")
    said = answer.get("iss")
    if (said is None and names_issuer) or (said is not None and said != issuer):
        raise BadReturn("issuer", f"Another {whom} answered than the one that was asked: begin again.")
    if "error" in answer:
        raise _refusal(answer["error"], whom)
    code = answer.get("code", "")
    if not code or len(code) > LONGEST_CODE or not code.isprintable():
        raise BadReturn("no_code", f"The {whom} answered without a code: begin again.")
    return code


def _refusal(error: str, whom: str) -> BadReturn:
    word = error if error.replace("_", "").isalpha() and error.isascii() and len(error) <= 64 else ""
    if word == "access_denied":
        return BadReturn("denied", f"The {whom} did not let you in, or you did not agree there.", word)
    return BadReturn(
        "refused",
        f"The {whom} answered {word or 'an error'}; an administrator of Archway can look at its settings.",
        word,
    )


def _equal(given: str, expected: str) -> bool:
    return bool(expected) and hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())
