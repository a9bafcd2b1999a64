"""What a token endpoint answered: tokens, a no, or nothing that says either.

Called by `token_request.py`. Read as widely as the official SDKs do, since providers differ: GitHub answers 200 with
an `error` inside, and as a form to whoever does not ask for JSON; lifetimes come as text, scopes with commas, token
types in any case. A no is believed only in a word that says one: whatever could be a proxy's page, a rate limit or a
fault leaves everything as it is. Pure. No word of an answer is repeated but its `error`.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from control.credentials.upstream_oauth.challenge import scopes_in
from control.providers.asking import Answer, error_word, host_of, is_refusal

LONGEST: Final = 16 << 10
"""Of one token, as `core.resolve` has it on the wire."""
_LONGEST_LIFE_S: Final = 1 << 31
_IS_INVALID_GRANT: Final = frozenset(
    {
        "invalid_grant",
        "bad_refresh_token", "bad_verification_code",  # GitHub
        "invalid_refresh_token", "token_expired", "token_revoked", "invalid_code", "code_already_used",  # Slack
    }
)  # fmt: skip
BEARER: Final = frozenset({"bearer"})
"""What an access token is that can be sent to a server (RFC 6750)."""
_LATER: Final = frozenset({"temporarily_unavailable", "server_error", "slow_down", "ratelimited", "rate_limited"})
"""Words of a provider that wants to be asked again."""


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens that a provider gave; kept sealed, and shown to nobody."""

    access_token: str
    refresh_token: str = ""
    """'' where it gave none: after a refresh the one before stays good."""
    id_token: str = ""
    expires_at: float = 0.0
    """When the access token ends, in Unix seconds; 0: not said."""
    scopes: tuple[str, ...] | None = None
    """What was granted; None where it does not say: then it is what was asked for, or granted before."""
    issued: str = ""
    """Of an exchange, which type of token it is (RFC 8693 section 2.2.1); '' where it does not say."""

    def __repr__(self) -> str:
        return "Granted()"


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A provider that answered no."""

    error: str
    """Its own word for why (RFC 6749 section 5.2), '' where it gave none; or `no_bearer_token` and `client_key`,
    which are ours.
    """
    status: int = 0
    sentence: str = ""
    """What we say of it, for an admin."""

    @property
    def is_invalid_grant(self) -> bool:
        """Whether the code or the refresh token is good no more. Every other no is about the client or the question,
        and says nothing of what the person gave."""
        return self.error in _IS_INVALID_GRANT


class Away(msgspec.Struct, frozen=True, kw_only=True):
    """A provider that said nothing which can be used. It may later; nobody is signed out by it."""

    why: str
    """One sentence, for an admin."""
    retry_after: float = 0.0
    """The seconds after which it wants to be asked again; 0: it did not say."""
    answered: bool = False
    """Whether an answer came at all. Where none did, the provider may have done what it was asked for."""


Outcome = Granted | Refused | Away


def outcome_of(answer: Answer, url: str, now: float, kinds: frozenset[str] = BEARER) -> Outcome:
    """What an answer of this endpoint comes to. `kinds`: types of tokens that can be used, in lower case."""
    said = _members(answer)
    word = error_word(said)
    if not (200 <= answer.status < 300 or is_refusal(answer.status)) or said is None or word in _LATER:
        return _away(answer, url)
    if word or "error" in said or not 200 <= answer.status < 300:
        sentence = f"{host_of(url)} refused with {answer.status} {word}".rstrip()
        return Refused(error=word, status=answer.status, sentence=sentence)
    return _granted(said, answer, url, now, kinds)


def _granted(said: Mapping[str, Any], answer: Answer, url: str, now: float, kinds: frozenset[str]) -> Outcome:
    token, kind = said.get("access_token"), said.get("token_type", "bearer")
    if not (_is_token(token) and isinstance(kind, str) and kind.lower() in kinds):
        sentence = f"{host_of(url)} gave no bearer token that can be sent"
        return Refused(error="no_bearer_token", status=answer.status, sentence=sentence)
    return Granted(
        access_token=str(token),
        refresh_token=_token(said, "refresh_token"),
        id_token=_token(said, "id_token"),
        expires_at=_end(said.get("expires_in"), now),
        scopes=scopes_in(said["scope"]) if "scope" in said else None,
        issued=_token(said, "issued_token_type"),
    )


def _members(answer: Answer) -> dict[str, Any] | None:
    """The members that say something: of a JSON object, or of a form. None for anything else, such as a page."""
    found = answer.json()
    if found is None and answer.content_type in {"application/x-www-form-urlencoded", "text/plain"}:
        found = _form(answer.raw)
    return None if found is None else {name: value for name, value in found.items() if value not in (None, "")}


def _form(raw: bytes) -> dict[str, Any] | None:
    try:
        found = dict(parse_qsl(raw.decode("ascii"), strict_parsing=True, errors="strict", max_num_fields=50))
    except ValueError:
        return None
    return found if "access_token" in found or "error" in found else None


def _away(answer: Answer, url: str) -> Away:
    words = "or not with what a token endpoint answers"
    return Away(
        why=f"{host_of(url)} answered {answer.status}, {words}", retry_after=answer.retry_after, answered=True
    )


def _token(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name, "")
    return value if _is_token(value) else ""


def _is_token(value: object) -> bool:
    """Whether it can stand in a header behind `Bearer` (RFC 6750 section 2.1, read widely)."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )


def _end(said: object, now: float) -> float:
    """When a token ends that lives so long; 0 for what is no number of seconds."""
    try:
        seconds = float(said) if isinstance(said, int | float | str) and not isinstance(said, bool) else 0.0
    except ValueError:
        return 0.0
    return now + seconds if 0 < seconds < _LONGEST_LIFE_S else 0.0
