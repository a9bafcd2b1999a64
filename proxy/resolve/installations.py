"""Which upstream and which credential: control's answers, remembered.

`resolve_credential` asks here. An installation is kept under gateway, assignment and, where it is the caller's own,
the caller, and where it depends on the very credential that the caller came with, that too: one caller's credential
cannot be found under another's key, and the seal of a copy is bound to that key.
Refusals are not kept: the person may just have signed in. Nothing is kept for longer than its credential is good.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Final

from core import redis_names
from core.keys import KeyRing
from core.resolve import InstallationAnswer, InstallationQuestion, ResolvedInstallation
from core.snapshot import Route
from core.tasks import Tasks
from proxy.caches.layered import LayeredCache
from proxy.caches.two_ages import Aged, Rest, SourceUnreachable
from proxy.caller import Caller
from proxy.redis import Redis
from proxy.refusals import Refusal
from proxy.resolve.ahead import Ahead
from proxy.resolve.control_client import ControlClient, room_of
from proxy.resolve.refreshes import GATHERED_S, Refreshes
from proxy.resolve.renewals import Renewals, end_of, may_be_held

_SIZE = 50_000
_HELD_FORM: Final = 1
"""Of copies that say to what a server's address is held. One that does not, of a worker of the version before, would
be taken to be held to nothing.
"""
AWAITED_S: Final = 30.0
"""After this nobody asks once more for a token that a provider has to give first, or for a server that is starting:
half of what a call may take."""
Put = Callable[[InstallationQuestion], Awaitable[InstallationAnswer]]
"""A way to ask control."""


class Installations:
    """Installations that control resolved, remembered for the calls that come."""

    def __init__(
        self,
        control: ControlClient,
        redis: Redis,
        ring: KeyRing,
        *,
        soft: float,
        hard: float,
        tasks: Tasks,
        gathered: float = GATHERED_S,
    ) -> None:
        self._control = control
        self.refreshes = Refreshes[InstallationQuestion, InstallationAnswer](
            "installations", control.installation, control.installations, tasks, room_of=room_of
        )
        self.resolved: LayeredCache[ResolvedInstallation] = LayeredCache(
            "connections",
            ResolvedInstallation,
            size=_SIZE,
            soft=soft,
            hard=hard,
            ring=ring,
            redis=redis,
            redis_name=redis_names.installation_key(""),
            tasks=tasks,
            patience=control.pulse.patience,
            gathered=gathered,
            form=_HELD_FORM,
        )
        self._ahead = Ahead(
            self.resolved, lambda key, question: self._ask(key, question, self.refreshes.ask), tasks, soft
        )
        self.renewals = Renewals(control, self.resolved, tasks)
        """Newer credentials than those that upstreams refuse."""

    @staticmethod
    def key(gateway_id: str, assignment_id: str, whose: str | None) -> str:
        """The cache key; `whose`: as the function of this name has it."""
        return f"{gateway_id}/{assignment_id}/{whose or redis_names.EVERYBODY}"

    def young(self, key: str) -> ResolvedInstallation | None:
        """The installation while nothing need be asked about it; else see `known`."""
        return self.resolved.memory.young(key)

    def known(self, key: str, question: InstallationQuestion) -> ResolvedInstallation | None:
        """The installation if it is in memory and fresh. No waiting: the warm path."""
        found = self.resolved.fresh(key, lambda _: self._ask(key, question, self.refreshes.ask))
        return None if found is None else self._followed(key, question, found)

    def rest(self, key: str) -> Rest[ResolvedInstallation] | None:
        """What `young` or `known` has given just now, for who rests on it for a while."""
        return self.resolved.memory.rest(key)

    async def resolve(self, key: str, question: InstallationQuestion) -> ResolvedInstallation:
        """The installation; raises Refusal with control's reason, or SourceUnreachable."""
        found = await self.resolved.get(key, lambda _: self._ask(key, question, self._control.installation))
        return self._followed(key, question, found)

    async def forget_installation(self, identifier: str) -> None:
        """Forget an installation that changed."""
        self.renewals.forget(identifier)
        await self.resolved.drop_where(lambda _, installation: installation.installation_id == identifier)

    async def forget_entry(self, identifier: str) -> None:
        """Forget the installations of an entry that changed."""
        await self.resolved.drop_where(lambda _, installation: installation.entry_id == identifier)

    async def forget_principal(self, principal_key: str) -> None:
        """Forget the installations of a caller whose access changed; a team's change concerns every caller, since it
        may be theirs."""
        everybody = principal_key.startswith("team:")

        def concerns(key: str, _: ResolvedInstallation) -> bool:
            caller = redis_names.principal_in(_whose_in(key))
            return caller == principal_key or (everybody and caller != redis_names.EVERYBODY)

        await self.resolved.drop_where(concerns)

    async def forget_made_for_callers(self) -> None:
        """Forget what was made for single callers: whoever vouched for them, or for what they came with, changed."""
        await self.resolved.drop_where(lambda _, installation: bool(installation.made_for))

    async def forget_gateway(self, identifier: str) -> None:
        """Forget the installations of a gateway whose assignments changed."""
        await self.resolved.drop_where(lambda key, _: key.startswith(identifier + "/"))

    def doubt(self) -> None:
        """News may have been missed: ask again before a remembered answer is used."""
        self.renewals.doubt()
        self.resolved.memory.doubt_all()

    def _followed(
        self, key: str, question: InstallationQuestion, found: ResolvedInstallation
    ) -> ResolvedInstallation:
        if found.expires_at:
            self._ahead.follow(key, question, end_of(found))
        return found

    async def _awaited(self, question: InstallationQuestion, until: float) -> InstallationAnswer:
        """Control's answer once a provider has given the token that is being asked for, or the server has started; at
        last, that it has not.
        """
        while True:
            answer = await self._control.renewal(question)
            if not _is_under_way(answer) or time.monotonic() >= until:
                return answer

    async def _ask(self, key: str, question: InstallationQuestion, put: Put) -> Aged[ResolvedInstallation]:
        asked = time.monotonic()
        answer = await put(question)
        if _is_under_way(answer):
            answer = await self._awaited(question, asked + AWAITED_S)
        installation = taken(answer)
        if not may_be_held(key, installation):
            raise SourceUnreachable  # the gateway as it is here does not say yet that it is another for each caller
        return Aged(installation, asked, end_of(installation))


def taken(answer: InstallationAnswer) -> ResolvedInstallation:
    """The installation in control's answer; raises Refusal with control's reason."""
    if answer.installation is not None:
        return answer.installation
    refusal = answer.refusal
    if refusal is None:
        raise Refusal("not_allowed", why="Archway found no installation for this tool.")
    raise Refusal(refusal.code, why=refusal.sentence, link=refusal.link)


def whose(route: Route, caller: Caller) -> str | None:
    """Whose the installation on this route is; None for everybody's."""
    if not route.per_principal:
        return None
    by_credential = route.per_credential or _teams_are_claimed(caller)
    return redis_names.with_credential(caller.key, caller.proof.digest) if by_credential else caller.key


def _teams_are_claimed(caller: Caller) -> bool:
    """Whether the caller is in the teams that this very token says, so that with another they are in others: then
    what serves them, and what a server is told of them, are another's, too.
    """
    return caller.principal is not None and caller.principal.kind == "external"


def _whose_in(key: str) -> str:
    return key.rpartition("/")[2]


def _is_under_way(answer: InstallationAnswer) -> bool:
    """Whether there is nothing yet but will be soon: the credential is being renewed, or the server is starting."""
    return answer.refusal is not None and answer.refusal.under_way
