"""What a worker forgets when control announces a change, and what it ends: one row for each kind of change.

The reader of the change stream (`proxy/gateways/changes.py`) calls it with each event, and with a doubt where news
may have been missed. What each part then does with what it holds is in that part.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from core.changes import Change, Kind
from proxy.access_endings import AccessEndings
from proxy.caller import Caller
from proxy.callers.signed_tokens import SignedTokens
from proxy.gateways.holder import Gateways
from proxy.limits.running_calls import Calls
from proxy.resolve.caller_verdicts import Authority
from proxy.resolve.installations import Installations
from proxy.resolve.key_sets import KeySets
from proxy.sessions.sealed import Sessions
from proxy.subscriptions.subscriptions import Subscriptions
from proxy.upstream.conversation import Upstreams
from proxy.upstream.watches import Watches

Forget = Callable[[Change], Awaitable[None]]


class Forgetting:
    """Applies changes to the parts of one worker that remember something, or have something running."""

    def __init__(
        self,
        authority: Authority,
        key_sets: KeySets,
        signed_tokens: SignedTokens,
        gateways: Gateways,
        installations: Installations,
        upstreams: Upstreams,
        sessions: Sessions,
        calls: Calls,
        endings: AccessEndings,
        subscriptions: Subscriptions,
        watches: Watches,
    ) -> None:
        self._authority, self._key_sets, self._signed_tokens = authority, key_sets, signed_tokens
        self._gateways, self._installations = gateways, installations
        self._upstreams = upstreams
        self._sessions, self._calls, self._endings = sessions, calls, endings
        self._subscriptions, self._watches = subscriptions, watches
        self.by_kind: Final[Mapping[Kind, Forget]] = {
            "gateway": self._gateway,
            "token": self._token,
            "user": self._principal,
            "team": self._principal,
            "external": self._principal,
            "grant": self._grant,
            "client": self._client,
            "provider": self._provider,
            "session": self._session,
            "installation": self._installation,
            "entry": self._entry,
        }

    async def apply(self, change: Change) -> None:
        """Forget what one announced change makes untrue, and end what it takes away from those who have it."""
        forget = self.by_kind.get(change.kind)
        if forget is not None:
            await forget(change)

    def doubt(self) -> None:
        """News may have been missed: ask again before what is remembered is used, and about all who call just now."""
        self._authority.doubt()
        self._installations.doubt()
        self._key_sets.doubt()
        self._watches.doubt()
        self._upstreams.doubt()
        self._subscriptions.doubt_policies()
        self._endings.look_at_all()

    async def _gateway(self, change: Change) -> None:
        held = self._gateways.peek(change.name)
        names = (change.name, held.snapshot.slug) if held is not None else (change.name,)
        if change.revision < 0:
            self._gateways.forget(change.name)
            self._endings.end_all(names)
        else:
            await self._gateways.refresh(change.name, change.revision)
            self._endings.look(lambda _: True, at=names)  # who sees it, and how they may come, may have changed
        await self._installations.forget_gateway(change.name)

    async def _token(self, change: Change) -> None:
        await self._authority.forget(change.name)
        self._endings.look(lambda caller: caller.proof.digest == change.name)

    async def _principal(self, change: Change) -> None:
        await self._authority.forget_principal(change.kind, change.name)
        await self._installations.forget_principal(f"{change.kind}:{change.name}")
        self._endings.look(lambda caller: _is_of(caller, change))

    async def _grant(self, change: Change) -> None:
        await self._authority.forget_grant(change.name)
        self._endings.look(lambda caller: caller.verdict.auth == "oauth" and caller.credential.id == change.name)

    async def _client(self, change: Change) -> None:
        await self._authority.forget_client(change.name)
        # One that calls for itself is named by its own identifier, and owns installations, or is in another team now.
        await self._installations.forget_principal(f"service:{change.name}")
        self._endings.look(lambda caller: caller.verdict.auth != "token" and caller.credential.client == change.name)

    async def _provider(self, change: Change) -> None:
        await self._key_sets.forget(change.name)
        self._signed_tokens.forget_issuer(change.name)
        await self._authority.forget_providers_tokens()
        await self._installations.forget_made_for_callers()
        self._endings.look(lambda caller: _is_vouched_for(caller, change.name))

    async def _session(self, change: Change) -> None:
        """A session of a legacy client that somebody else ended; of its own `DELETE` the mailbox tells."""
        self._sessions.end_here(change.name)
        self._calls.cancel_session(change.name)
        self._endings.look_at_session(change.name)

    async def _installation(self, change: Change) -> None:
        await self._installations.forget_installation(change.name)
        self._upstreams.forget_installation(change.name, over=change.revision < 0)
        self._subscriptions.forget_installation(change.name)
        self._watches.forget_installation(change.name)
        self._endings.look_at_installations(lambda one: one.installation_id == change.name)

    async def _entry(self, change: Change) -> None:
        await self._installations.forget_entry(change.name)
        self._endings.look_at_installations(lambda one: one.entry_id == change.name)


def _is_vouched_for(caller: Caller, issuer: str) -> bool:
    """Whether this identity provider may have said who the caller is; only control knows whose assertion it was."""
    return caller.way == "id_jag" or (caller.verified is not None and caller.verified.issuer == issuer)


def _is_of(caller: Caller, change: Change) -> bool:
    """Whether a change of a user, a team or somebody without an account may concern a caller."""
    principal = caller.principal
    if principal is None:
        return False
    return (principal.kind, principal.id) == (change.kind, change.name) or change.name in principal.teams
