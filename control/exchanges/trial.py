"""Whether an identity provider exchanges tokens for us: asked with a token that is none, for an admin who waits.

Called when a provider is added, changed or tested. What it says of such a token is no fault; what it says of our
client or of the question is. Nobody's token is sent.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Final

from control.credentials.upstream_oauth.client import TokenPlace
from control.credentials.upstream_oauth.token_answer import Away, Granted, Refused
from control.credentials.upstream_oauth.token_request import granted
from control.exchanges.at_provider import EXCHANGED, exchange_form, place_at_provider
from control.exchanges.subject import Subject
from control.identity.key_sets import KeySets
from control.providers.asking import Asker
from control.registry.credential import TokenExchange
from control.registry.identity_provider import IdentityProvider
from control.registry.row_seals import RowSeals

_NO_TOKEN: Final = "archway-asks-whether-tokens-are-exchanged"  # noqa: S105  # it is none
_FAULTS: Final = frozenset(
    {"invalid_client", "unauthorized_client", "unsupported_grant_type", "access_denied", "unfit"}
)
"""What is said of our client, or of exchanges at all; everything else may be about the token."""


def exchange_trial(
    asker: Asker, seals: RowSeals, key_sets: KeySets, clock: Callable[[], float] = time.time
) -> Callable[[IdentityProvider], Awaitable[str]]:
    """Says of a provider why it exchanges nothing for us, as a sentence for an admin; '' where nothing is known to be
    wrong.
    """

    async def tried(provider: IdentityProvider) -> str:
        if not provider.exchanges_tokens:
            return ""
        place = await place_at_provider(provider, seals, key_sets)
        if not isinstance(place, TokenPlace):
            return _sentence(place)
        subject = Subject(provider.exchange.subject_token, _NO_TOKEN)
        form = exchange_form(provider, TokenExchange(provider.id), "", subject)
        return _sentence(await granted(asker, place, form, clock(), EXCHANGED))

    return tried


def _sentence(outcome: Granted | Refused | Away) -> str:
    match outcome:
        case Granted():
            return "It gave a token in exchange for one that is none: look at what it takes before entries name it."
        case Away(why=why):
            return f"It cannot be asked for an exchange: {why}."
        case Refused(error=error, sentence=sentence):
            return f"It exchanges no tokens for this client: {sentence}." if error in _FAULTS else ""
