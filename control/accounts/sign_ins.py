"""A person's sign-in at the provider of a server: off to it, back with a code, and the question whose account it is.

    url = await sign_ins.begin(person, entry, wanted)               # where the browser is sent
    sign_in_id = await sign_ins.returned(person, slug, dict(request.query))   # what it came back with
    shown = await sign_ins.waiting(person, sign_in_id)              # whose account it is, for the page that asks

Called by the install page. Between the steps everything is in one row, sealed, for one person in one browser session;
nothing is an account before the person has said so (`ending.py`). Leaves out who may install what.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from control.accounts import sign_in_failed as failed
from control.accounts.given import Given, given_of
from control.accounts.our_client import CALLBACK
from control.accounts.under_way import UnderWay, WantedNew
from control.accounts.upstream_providers import FoundProvider, UpstreamProviders
from control.credentials.upstream_oauth.account import AccountName, account_of
from control.credentials.upstream_oauth.authorization_server import AuthorizationServer
from control.credentials.upstream_oauth.authorize import authorize_url, begin, code_of, wanted_scopes
from control.credentials.upstream_oauth.client import place_at
from control.credentials.upstream_oauth.token_request import Granted, redeem
from control.credentials.upstream_oauth.unfit import CannotSignIn
from control.providers.asking import host_of
from control.providers.browser_round import BadReturn
from control.registry.account import Account, url_in
from control.registry.account_sign_in import AccountSignIn, NewAccountSignIn
from control.registry.broken_rule import BrokenRule
from control.registry.credential import OAuthCredential
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.oauth_scopes import OFFLINE
from control.registry.row_seals import RowSeals
from control.registry.self_hosted import SelfHosted
from control.store import account_sign_ins, accounts, entries, installations
from control.store.pool import Pool, transaction
from core.identifiers import new_id
from core.sealing import SealBroken
from core.tokens import digest

log = logging.getLogger(__name__)
BEGUN, TOKENS = "begun", "tokens"
"""The two parts of a row, as they are sealed."""


@dataclass(frozen=True, slots=True)
class Browser:
    """Who signs in, in which browser session."""

    user_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sign-in that has come back, before its account is kept."""

    id: str
    entry: Entry
    way: UnderWay
    given: Given
    installation: Installation | None
    """The one that signs in again; None for a new one."""
    before: Account | None
    """What that one had so far."""

    @property
    def server_url(self) -> str:
        """Where the account's token is sent with calls; '' of a server that Archway runs."""
        return "" if isinstance(self.entry.reached, SelfHosted) else url_in(self.way.place)

    @property
    def seen(self) -> str:
        """What the person had looked at when they left."""
        return word_for(self.server_url, self.way.server, self.way.begun.scopes)

    @property
    def is_another(self) -> bool:
        """Whether it is certainly another account than the one before."""
        if self.before is None or self.before.issuer != self.way.server.issuer:
            return False
        return AccountName(self.given.account_name, self.given.subject).is_another(self.before)


class NotSeen(Exception):
    """A person would be sent elsewhere, or asked for something else, than the page said that they have looked at."""


def word_for(server_url: str, provider: AuthorizationServer, scopes: Sequence[str]) -> str:
    """What a person is shown before they leave, as one word for the form: for which server, where they are sent, and
    what is asked for there.
    """
    return digest(json.dumps([server_url, provider.issuer, provider.authorization_endpoint, *scopes]))


class SignIns:
    """Signs people in at the providers of servers."""

    def __init__(
        self,
        pool: Pool,
        seals: RowSeals,
        providers: UpstreamProviders,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool, self._seals, self.providers, self._clock = pool, seals, providers, clock

    async def begin(
        self,
        browser: Browser,
        entry: Entry,
        wanted: WantedNew | Installation,
        *,
        another: bool = False,
        seen: str | None = None,
    ) -> str:
        """Where the browser is sent. `another`: the person wants to choose the account once more. `seen`: what the
        person has looked at, as `word_for` says it. Raises NotSeen where that is something else than is asked for
        now, ProviderAway, and CannotSignIn (NotApproved with the hosts that an admin has to look at).
        """
        settings = _settings(entry)
        answers = wanted.plain_values if isinstance(wanted, Installation) else wanted.values
        url = self.providers.url_for(entry, answers)
        found = await self.providers.found(url, settings)
        scopes = self.scopes_for(found, settings, await self._account(wanted))
        if seen is not None and seen != word_for(url, found.server, scopes):
            raise NotSeen
        known = await self.providers.client_at(entry, settings, found.server, scopes)
        now = self._clock().timestamp()
        begun = begin(found.discovered, known.client, self.providers.ours_at(entry).redirect_uri, scopes, now)
        extra = settings.authorize_parameters | ({"prompt": _prompt(found, scopes)} if another else {})
        address = authorize_url(found.server, begun, extra)
        way = UnderWay(
            begun=begun,
            server=found.server,
            client=known.client,
            client_row=known.row,
            place=self.providers.place_for(entry, answers),
            wanted=None if isinstance(wanted, Installation) else wanted,
        )
        sign_in_id = new_id()
        sealed = self._seals.sign_in(sign_in_id, BEGUN, msgspec.json.encode(way))
        row = NewAccountSignIn(
            state_digest=digest(begun.state),
            user_id=browser.user_id,
            session_id=browser.session_id,
            entry_id=entry.id,
            installation_id=wanted.id if isinstance(wanted, Installation) else None,
            begun=sealed,
        )
        async with transaction(self._pool) as connection:
            await account_sign_ins.keep(connection, sign_in_id, row)
        return address

    async def returned(self, browser: Browser, callback_of: str, answer: Mapping[str, str]) -> str:
        """The browser is back: the identifier of the sign-in whose account waits to be confirmed; SignInFailed.

        `callback_of`: the slug of the entry whose callback it came to. An answer that comes to another callback than
        the one that it was asked for at may be of another provider, and its code is sent to nobody.
        """
        row, entry = await self._answered(browser, answer.get("state", ""))
        try:
            return await self._redeemed(row, entry, callback_of, answer)
        except failed.SignInFailed as why:
            why.entry = entry.slug
            log.warning(
                "a sign-in at a server's provider failed",
                extra={"entry": entry.slug, "user_id": browser.user_id, "why": why.why, "cause": str(why)},
            )
            async with transaction(self._pool) as connection:
                await account_sign_ins.end(connection, row.id)
            raise

    async def waiting(self, browser: Browser, sign_in_id: str) -> Waiting | None:
        """One that the person is to confirm, in the browser that began it; None where it is over."""
        async with transaction(self._pool, readonly=True) as connection:
            row = await account_sign_ins.waiting(connection, sign_in_id, browser.user_id, browser.session_id)
            if row is None or row.tokens is None:
                return None
            entry = await entries.one(connection, row.entry_id)
            known = row.installation_id
            installation = None if known is None else await installations.one(connection, known)
            before = None if known is None else await accounts.one(connection, known)
        if entry is None or (known is not None and installation is None):
            return None
        with suppress(SealBroken, msgspec.MsgspecError):
            way, given = opened(self._seals, row)
            if given is not None:
                return Waiting(row.id, entry, way, given, installation, before)
        return None

    def scopes_for(self, found: FoundProvider, settings: OAuthCredential, account: Account | None) -> tuple[str, ...]:
        """What is asked for: by an installation that has an account there also what it had, and what its server said
        that it needs besides, so that nothing is lost for something else. The entry's own scopes, where it has some,
        are all that is ever asked for.
        """
        had: tuple[str, ...] = ()
        if account is not None and account.issuer == found.server.issuer:
            had = (*account.scopes, *account.wanted_scopes)
        return wanted_scopes(found.discovered, settings, found.challenge, had)

    async def _still_fits(self, row: AccountSignIn, entry: Entry, way: UnderWay) -> OAuthCredential | None:
        """The entry's settings, if its server and provider are those that the sign-in began at, and every host of an
        endpoint is still approved; else None.
        """
        answers = way.wanted.values if way.wanted is not None else None
        if answers is None and row.installation_id is not None:
            async with transaction(self._pool, readonly=True) as connection:
                installation = await installations.one(connection, row.installation_id)
            answers = None if installation is None else installation.plain_values
        settings = entry.credential
        if answers is None or not isinstance(settings, OAuthCredential):
            return None
        try:
            place = self.providers.place_for(entry, answers)
        except BrokenRule:
            return None
        return None if place != way.place or way.server.unapproved_hosts(settings.approved_hosts) else settings

    async def _account(self, wanted: WantedNew | Installation) -> Account | None:
        if not isinstance(wanted, Installation):
            return None
        async with transaction(self._pool, readonly=True) as connection:
            return await accounts.one(connection, wanted.id)

    async def _answered(self, browser: Browser, state: str) -> tuple[AccountSignIn, Entry]:
        state_digest = digest(state)
        async with transaction(self._pool) as connection:
            row = await account_sign_ins.answered(connection, state_digest, browser.user_id, browser.session_id)
            kept = row or await account_sign_ins.of_state(connection, state_digest)
            entry = None if kept is None else await entries.one(connection, kept.entry_id)
        if kept is None or entry is None:
            raise failed.not_known()
        if (kept.user_id, kept.session_id) != (browser.user_id, browser.session_id):
            raise failed.of_another(entry.slug)
        if row is None:
            again = self._way(kept).begun_at(entry.slug, kept.user_id, kept.installation_id)
            raise failed.replayed(again, entry.slug)
        return row, entry

    async def _redeemed(self, row: AccountSignIn, entry: Entry, callback_of: str, answer: Mapping[str, str]) -> str:
        way, now = self._way(row), self._clock().timestamp()
        again = way.begun_at(entry.slug, row.user_id, row.installation_id)
        if not way.begun.redirect_uri.endswith(f"{CALLBACK}/{callback_of}"):
            raise failed.elsewhere(again)
        try:
            code = code_of(answer, way.begun, now)
        except BadReturn as bad:
            raise failed.bad_return(bad, host_of(way.server.authorization_endpoint), again) from None
        settings = await self._still_fits(row, entry, way)
        if settings is None:
            raise failed.moved(entry.name, again)
        asker = self.providers.asker
        outcome = await redeem(asker, place_at(way.server, way.client), way.begun, code, now)
        if not isinstance(outcome, Granted):
            raise failed.not_redeemed(outcome, again)
        whose = await account_of(asker, way.server, settings, way.client.client_id, outcome, now)
        given = given_of(outcome, whose, way.begun.scopes)
        sealed = self._seals.sign_in(row.id, TOKENS, msgspec.json.encode(given))
        async with transaction(self._pool) as connection:
            kept = await account_sign_ins.keep_tokens(connection, row.id, sealed)
        if not kept:
            raise failed.not_known()
        return row.id

    def _way(self, row: AccountSignIn) -> UnderWay:
        try:
            return opened(self._seals, row)[0]
        except (SealBroken, msgspec.MsgspecError):
            raise failed.not_known() from None


def opened(seals: RowSeals, row: AccountSignIn) -> tuple[UnderWay, Given | None]:
    """What a row keeps sealed; raises SealBroken, `msgspec.MsgspecError`."""
    way = msgspec.json.decode(seals.open_sign_in(row.id, BEGUN, row.begun), type=UnderWay)
    if row.tokens is None:
        return way, None
    return way, msgspec.json.decode(seals.open_sign_in(row.id, TOKENS, row.tokens), type=Given)


def _settings(entry: Entry) -> OAuthCredential:
    if not isinstance(entry.credential, OAuthCredential):
        raise CannotSignIn(f"{entry.name} is not connected by signing in")
    return entry.credential


def _prompt(found: FoundProvider, scopes: tuple[str, ...]) -> str:
    """How the provider is asked to let the person choose the account; one that lists no such word still may do it."""
    listed = found.server.prompts
    word = "login" if listed and "select_account" not in listed else "select_account"
    return f"{word} consent" if OFFLINE in scopes else word
