"""One token for one caller, from the token that is exchanged to the one that the server takes; nothing is kept.

Called by `exchanges.py`, once at a time for what it is for. A provider that is away is left alone for moments,
whoever asks. Leaves out what callers wait, and what is remembered.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from control.credentials.for_caller import ForCaller
from control.credentials.upstream_oauth.client import TokenPlace
from control.credentials.upstream_oauth.token_answer import BEARER, Away, Granted, Outcome, Refused
from control.credentials.upstream_oauth.token_request import granted
from control.credentials.upstream_oauth.unfit import CannotSignIn
from control.exchanges import sentences
from control.exchanges.at_provider import EXCHANGED, ID_JAG, exchange_form, place_at_provider
from control.exchanges.at_server import AtServer, assertion_form
from control.exchanges.memory import Memory
from control.exchanges.subject import SignIns, Subject, Whose, subject_of
from control.identity.kept_state import NotKept
from control.identity.key_sets import KeySets
from control.identity.unchecked import end_of
from control.providers.asking import Asker, ProviderAway, host_of
from control.registry.credential import IdentityAssertion, TokenExchange
from control.registry.entry import Entry
from control.registry.identity_provider import IdentityProvider
from control.registry.row_seals import RowSeals
from core.client_keys import KeyRefused
from core.resolve import InstallationRefusal
from core.sealing import SealBroken

log = logging.getLogger(__name__)

REST_S: Final = 5.0
"""How long nobody asks an endpoint that gave no answer, or none that says something."""
LONGEST_REST_S: Final = 60.0
"""The same where it says itself how long."""
UNSAID_S: Final = 300.0
"""How long a token is used of which the provider says no end, and that does not say so itself."""
_MOST_RESTING: Final = 1_000
_OF_SUBJECT: Final = frozenset({"invalid_grant", "invalid_token"})
"""What is said of a token that is exchanged and that is good no more."""
_MAY_BE_OF_SUBJECT: Final = _OF_SUBJECT | {"invalid_request"}
"""The same, and what RFC 8693 section 2.2.2 has for such a token and for any other fault of a request: Keycloak says
that of a session that was ended. A newer token shows which it is.
"""
_NEEDS_PERSON: Final = _OF_SUBJECT | {"interaction_required", "login_required", "consent_required"}
"""What only the person can cure, at the provider."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a token is asked for: one caller, one server, one provider."""

    entry: Entry
    credential: TokenExchange | IdentityAssertion
    provider: IdentityProvider
    whose: Whose
    resource: str
    """What is sent as `resource` (RFC 8707); '' where it is not sent."""


class OneExchange:
    """Gets tokens; it needs who asks, what opens our clients' secrets, where providers' endpoints are, and what they
    gave at sign-ins.
    """

    def __init__(
        self, asker: Asker, seals: RowSeals, key_sets: KeySets, sign_ins: SignIns, clock: Callable[[], float]
    ) -> None:
        self._asker, self._seals, self._key_sets, self._sign_ins = asker, seals, key_sets, sign_ins
        self._at_server = AtServer(asker, seals)
        self._resting: Memory[str] = Memory(_MOST_RESTING)
        """By endpoint or issuer, why nobody asks there for a moment."""
        self.clock = clock

    async def of(self, wanted: Wanted) -> ForCaller | InstallationRefusal:
        """The token, or why there is none. Raises StoreUnavailable."""
        outcome = await self._first_leg(wanted)
        if isinstance(outcome, InstallationRefusal):
            return outcome
        if isinstance(outcome, Granted) and isinstance(wanted.credential, IdentityAssertion):
            taken = await self._second_leg(wanted, wanted.credential, outcome.access_token)
            return self._come_to(wanted, taken, wanted.credential.issuer)
        if isinstance(outcome, Refused) and outcome.error in _NEEDS_PERSON:
            entry, provider = wanted.entry, wanted.provider
            if wanted.whose.own_token:
                return sentences.own_token_refused(entry, provider, outcome.sentence)
            return sentences.sign_in_refused(entry, provider, outcome.sentence)
        return self._come_to(wanted, outcome, wanted.provider.name)

    async def _first_leg(self, wanted: Wanted) -> Outcome | InstallationRefusal:
        """What the provider says; asked once more with newer tokens where it takes those of the sign-in no more."""
        wants, newer_than = wanted.provider.exchange.subject_token, 0.0
        while True:
            subject = await subject_of(self._sign_ins, wanted.whose, wanted.provider.id, wants, newer_than)
            if not isinstance(subject, Subject):
                return _missing(subject)
            outcome = await self._exchanged(wanted, subject)
            stale = isinstance(outcome, Refused) and outcome.error in _MAY_BE_OF_SUBJECT
            if not stale or newer_than or wanted.whose.own_token:
                return outcome
            newer_than = self.clock()

    async def _exchanged(self, wanted: Wanted, subject: Subject) -> Outcome:
        provider = wanted.provider
        place = await place_at_provider(provider, self._seals, self._key_sets)
        if not isinstance(place, TokenPlace):
            return place
        form = exchange_form(provider, wanted.credential, wanted.resource, subject)
        outcome = await self._asked(place, form, EXCHANGED)
        asserted = isinstance(wanted.credential, IdentityAssertion)
        if isinstance(outcome, Granted) and asserted and outcome.issued not in {"", ID_JAG}:
            return Refused(error="no_assertion", sentence=f"{host_of(place.endpoint)} gave no identity assertion")
        return outcome

    async def _second_leg(self, wanted: Wanted, credential: IdentityAssertion, assertion: str) -> Outcome:
        issuer, now = credential.issuer, self.clock()
        if why := self._resting.get(issuer, now):
            return Away(why=why)
        try:
            place = await self._at_server.place(wanted.entry, credential, now)
        except ProviderAway as away:
            return self._rests(issuer, Away(why=str(away), retry_after=away.retry_after))
        except CannotSignIn as unfit:
            return Refused(error="unfit", sentence=str(unfit))
        except KeyRefused as refused:
            return Refused(error="client_key", sentence=f"the client's key {refused}")
        except SealBroken:
            log.exception("a client's secret cannot be opened", extra={"entry": wanted.entry.slug})
            return Refused(error="unfit", sentence="the secret of the entry's client cannot be read; give it again")
        return await self._asked(place, assertion_form(credential, wanted.resource, assertion), BEARER)

    async def _asked(self, place: TokenPlace, form: dict[str, str], kinds: frozenset[str]) -> Outcome:
        now = self.clock()
        if why := self._resting.get(place.endpoint, now):
            return Away(why=why)
        outcome = await granted(self._asker, place, form, now, kinds)
        return self._rests(place.endpoint, outcome) if isinstance(outcome, Away) else outcome

    def _rests(self, where: str, away: Away) -> Away:
        rest = min(max(away.retry_after, REST_S), LONGEST_REST_S)
        self._resting.put(where, away.why, self.clock() + rest)
        return away

    def _come_to(self, wanted: Wanted, outcome: Outcome, at: str) -> ForCaller | InstallationRefusal:
        """`at`: who was asked last, for people."""
        told = {"entry": wanted.entry.slug, "provider": wanted.provider.slug}
        match outcome:
            case Granted():
                now = self.clock()
                return ForCaller(outcome.access_token, outcome.expires_at or _end_of(outcome.access_token, now), now)
            case Away():
                log.warning("a token for a caller cannot be had now", extra=told | {"why": outcome.why})
                return sentences.away(wanted.entry, at, outcome.why)
            case Refused():
                log.warning("a token for a caller was refused", extra=told | {"why": outcome.sentence})
                return sentences.refused(wanted.entry, f"{at} gives no token for it ({outcome.sentence})")


def _missing(missing: NotKept) -> InstallationRefusal:
    if missing.why == "away":
        return InstallationRefusal("provider_away", missing.sentence)
    return InstallationRefusal("needs_sign_in", missing.sentence)


def _end_of(token: str, now: float) -> float:
    """When a token ends of which the answer does not say so: as it says itself, but never far away."""
    said = end_of(token)
    return now + UNSAID_S if said is None else min(said, now + UNSAID_S)
