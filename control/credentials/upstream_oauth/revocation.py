"""Tokens given back to the provider that gave them (RFC 7009).

Called when an installation is deleted, or an account replaced by another. Best effort: whoever calls deletes what it
has in any case, since a provider that is away must keep nobody from signing out here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from control.credentials.upstream_oauth.client import TokenPlace
from control.credentials.upstream_oauth.token_answer import Away, Refused
from control.credentials.upstream_oauth.token_request import asked
from control.providers.asking import Asker, error_word, host_of

Kind = Literal["refresh_token", "access_token"]


@dataclass(frozen=True, slots=True)
class Revoked:
    """What came of giving tokens back."""

    done: bool
    """Whether the provider took each of them; one that it does not know counts as taken."""
    why: str = ""
    """What kept it from that, in one sentence for an admin; '' where nothing did."""


async def revoke(
    asker: Asker, place: TokenPlace, endpoint: str, tokens: Iterable[tuple[Kind, str]], now: float
) -> Revoked:
    """Give tokens back, the refresh token first: with it most providers end the access token too. `endpoint`: the
    provider's for revocations, '' where it has none. `place`: the client that the tokens were given to.
    """
    held = sorted(((kind, token) for kind, token in tokens if token), reverse=True)  # `refresh_token` is the greater
    if not endpoint:
        return Revoked(not held, "" if not held else "the provider has no address for giving tokens back")
    faults = [await _one(asker, replace(place, endpoint=endpoint), kind, token, now) for kind, token in held]
    why = next((fault for fault in faults if fault), "")
    return Revoked(not why, why)


async def _one(asker: Asker, place: TokenPlace, kind: Kind, token: str, now: float) -> str:
    """Why this token could not be given back; '' where it was."""
    answer = await asked(asker, place, {"token": token, "token_type_hint": kind}, now)
    if isinstance(answer, Refused):
        return answer.sentence
    if isinstance(answer, Away):
        return answer.why
    if 200 <= answer.status < 300:
        return ""
    word = error_word(answer.json())
    if word == "invalid_token" or (word == "unsupported_token_type" and kind == "access_token"):
        return ""  # it is not good any more, or ends by itself with the refresh token
    return f"{host_of(place.endpoint)} answered {answer.status} {word}".rstrip()
