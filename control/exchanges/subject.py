"""Which token is exchanged: what the provider gave at the person's own sign-in, or what the caller came with.

Called by `one_exchange.py`, once for each time that a provider is asked. The table (`control/credentials/whose.py`)
has said which of the two; whether the caller's token is good was checked in the question that they came with.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

from control.identity.kept_state import NotKept, Wanted
from control.identity.token_endpoint import ProviderTokens


class SignIns(Protocol):
    """What providers gave at people's own sign-ins (`control/identity/kept_tokens.py`)."""

    async def living(
        self,
        user_id: str,
        provider_id: str,
        *,
        newer_than: float = 0.0,
        within: float = 0.0,
        wants: Wanted = "access_token",
    ) -> ProviderTokens | NotKept:
        """Tokens of which the one that is wanted lives, or why there are none. `newer_than`: those that were obtained
        then or before are refused somewhere.
        """


@dataclass(frozen=True, slots=True)
class Whose:
    """Whom a token is asked for, and what is exchanged for it."""

    user_id: str = ""
    """Whose own sign-in; '' where the caller's own token is exchanged."""
    own_token: str = field(default="", repr=False)
    key: str = ""
    """By which results are told apart: two callers with one key may have the same token."""
    is_known: bool = True
    """False for a person who was nobody at the provider when they asked: what is got for them is not kept, since it
    would serve them whenever they are nobody there again.
    """


@dataclass(frozen=True, slots=True)
class Subject:
    """A token that is exchanged for another: shown to the provider that gave it, and to nobody else."""

    kind: Wanted
    """As RFC 8693 section 3 names it, behind its prefix."""
    token: str = field(repr=False)


_WITHIN_S: Final = 6.0
"""For the provider to refresh what it gave; a run has more time than a caller waits."""


async def subject_of(
    sign_ins: SignIns, whose: Whose, provider_id: str, wants: Wanted, newer_than: float = 0.0
) -> Subject | NotKept:
    """The token to exchange. A caller's own is an access token, whatever the provider takes of sign-ins."""
    if whose.own_token:
        return Subject("access_token", whose.own_token)
    found = await sign_ins.living(whose.user_id, provider_id, newer_than=newer_than, within=_WITHIN_S, wants=wants)
    if not isinstance(found, ProviderTokens):
        return found
    return Subject(wants, found.id_token if wants == "id_token" else found.access_token)
