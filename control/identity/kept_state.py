"""What can be given of a person's own sign-in, or what they are told where nothing can. Pure.

Called by `kept_tokens.py`, before a refresh and after it. Whether somebody has to sign in again is told apart from
what passes by itself: who signs in again for nothing stops believing the sentence.
"""

from dataclasses import dataclass
from math import inf
from typing import Final, Literal

from control.identity.token_endpoint import ProviderTokens
from control.identity.unchecked import end_of
from control.registry.identity_provider import IdentityProvider
from control.store.kept_tokens import Kept

AHEAD_S: Final = 60.0
"""A token that ends sooner is refreshed before it is given: what is made of it begins with some life."""
FRESH_S: Final = 30.0
"""A token that is younger is not refreshed because it is refused somewhere: the next one would be refused too."""

Why = Literal["never_signed_in", "gone", "disabled", "away", "not_kept"]
"""`not_kept`: there is nothing to give, and waiting brings nothing either."""
Wanted = Literal["access_token", "id_token"]


@dataclass(frozen=True, slots=True)
class NotKept:
    """Why there are no tokens of a person's own sign-in; the sentence is for them and says what to do."""

    why: Why
    sentence: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants of what is kept."""

    wants: Wanted
    newer_than: float
    """Unix seconds; tokens that were obtained then or before are refused somewhere."""
    now: float
    sign_in: str
    """The address at which a person signs in with the provider."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is kept can be refreshed, and should be before it is given."""

    meanwhile: ProviderTokens | None
    """It lives some seconds more, and is better than nothing."""


def why_none(provider: IdentityProvider, kept: Kept | None, sign_in: str) -> NotKept | None:
    """Why nothing is given of this person, whatever is kept."""
    if not provider.enabled:
        return NotKept("not_kept", f"{provider.name} is switched off here. Ask an administrator of Archway.")
    if not provider.sign_in:
        return NotKept(
            "not_kept",
            f"What you call is used as who you are at {provider.name}, with which nobody signs in to Archway: call "
            f"with a token of {provider.name}, or ask an administrator of Archway.",
        )
    if kept is None or kept.identity.signed_in_at is None:
        return NotKept(
            "never_signed_in",
            f"You have not signed in to Archway with {provider.name} yet, and what you call is used as who you are "
            f"there: sign in at {sign_in}, then call again.",
        )
    if kept.identity.gone_at is not None:
        return NotKept(
            "gone",
            f"{provider.name} does not know you any more, or has ended what you agreed to: sign in at {sign_in}, or "
            "ask an administrator of Archway.",
        )
    if kept.is_disabled:
        return NotKept("disabled", "Your account here is disabled. Ask an administrator of Archway.")
    if kept.identity.tokens is None:
        return _again(provider, sign_in, "Archway keeps nothing of it any more")
    return None


def judged(
    provider: IdentityProvider, tokens: ProviderTokens, asked: Asked, *, refreshed: bool
) -> ProviderTokens | NotKept | Due:
    """What is given of these tokens. `refreshed`: they came just now, so that they are given if they live at all."""
    wanted = tokens.access_token if asked.wants == "access_token" else tokens.id_token
    ends = _end(tokens, asked.wants) if wanted else 0.0
    is_new = tokens.obtained_at > asked.newer_than or asked.now - tokens.obtained_at < FRESH_S
    if is_new and ends > asked.now + AHEAD_S:
        return tokens
    good = ends > asked.now and (is_new or refreshed)
    hopeless = asked.wants == "id_token" and tokens.id_token_is_older and ends <= asked.now
    if tokens.refresh_token and not refreshed and not hopeless:
        return Due(tokens if good else None)
    return tokens if good else _ended(provider, tokens, asked)


def away(provider: IdentityProvider, why: str) -> NotKept:
    """The provider gives nothing now, and nobody is signed out. `why`: one clause."""
    return NotKept(
        "away",
        f"{provider.name} gives no new token for you now: {why.rstrip('.')}. You need not sign in again: try again "
        "in a minute.",
    )


def unreadable(provider: IdentityProvider, sign_in: str) -> NotKept:
    """What is kept was sealed with a key that is gone."""
    return _again(provider, sign_in, "what Archway kept of it cannot be read any more")


def _ended(provider: IdentityProvider, tokens: ProviderTokens, asked: Asked) -> NotKept:
    if not tokens.refresh_token:
        more = "" if "offline_access" in provider.scopes else " (with the scope `offline_access` it may)"
        return _again(provider, asked.sign_in, f"it has ended, and {provider.name} gives nothing to renew it{more}")
    if asked.wants == "id_token":
        return _again(provider, asked.sign_in, f"{provider.name} gives an ID token then alone, and yours has ended")
    return away(provider, "what it gave has ended already")


def _again(provider: IdentityProvider, sign_in: str, because: str) -> NotKept:
    return NotKept(
        "not_kept",
        f"What you call needs your sign-in with {provider.name}: {because}. Sign in again at {sign_in}, then call "
        "again.",
    )


def _end(tokens: ProviderTokens, wants: Wanted) -> float:
    """When the wanted token ends, in Unix seconds; for ever where that is not said."""
    if wants == "access_token":
        return tokens.expires_at or inf
    return end_of(tokens.id_token) or 0.0  # it was checked before it was kept
