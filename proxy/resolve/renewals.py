"""A newer credential in place of one that an upstream has refused: asked of control once for all who meet it.

Called off the warm path: by the stage `receive` when an upstream answered 401, or 403 since it wants more scopes,
and in the background where a tool's result only looks like that. However many calls of however many callers meet one
refused version of an installation, this worker asks control once; who comes later finds what was said. Control may
have to ask a provider first, so the question may take long, and says nothing of control then. Leaves out sending the
call again, which `receive` does, once.
"""

import asyncio
import time
from math import inf
from typing import Final, TypeAlias

from core.redis_names import digest_in, principal_in
from core.resolve import InstallationAnswer, InstallationQuestion, ResolvedInstallation
from core.single_flight import SingleFlight
from core.tasks import Tasks
from proxy.caches.bounded import Bounded
from proxy.caches.layered import LayeredCache
from proxy.caches.two_ages import Aged
from proxy.refusals import Refusal
from proxy.resolve.control_client import ControlClient

MARGIN_S: Final = 5.0
"""A credential is not used any more when so little of its life is left: a call must be at its upstream before."""
NOTHING_NEWER_S: Final = 30.0
"""For how long control is not asked again about a version of which it had no newer one: mostly of a key that somebody
typed, and that was withdrawn since."""
REFUSED_S: Final = 2.0
"""The same, where it said that somebody must sign in, or that the provider is away."""
SUSPECTED_S: Final = 60.0
"""How often, at most, results that only look refused start a question about one credential."""
_MOST: Final = 10_000
_Said: TypeAlias = tuple[str, InstallationAnswer]
"""Whose credential (by digest) control was asked with, and its answer."""
_KEPT: Final = frozenset({"needs_sign_in", "provider_away", "server_failed"})
"""Refusals that do not pass in a moment."""


def end_of(installation: ResolvedInstallation) -> float:
    """Unix seconds from which on it is not to be used: before its credential ends."""
    return installation.expires_at - MARGIN_S if installation.expires_at else inf


class _NotNewer(Exception):
    """Control had no newer credential."""

    def __init__(self, answer: InstallationAnswer) -> None:
        super().__init__()
        self.answer = answer


class Renewals:
    """The newer credentials of one worker; `resolved`: where the worker's installations are remembered."""

    def __init__(self, control: ControlClient, resolved: LayeredCache[ResolvedInstallation], tasks: Tasks) -> None:
        self.questions = 0
        """How often control was asked."""
        self._control, self._resolved, self._tasks = control, resolved, tasks
        self._asking = SingleFlight[_Said]("renewed credential", tasks)
        self._newest: Bounded[str, ResolvedInstallation] = Bounded(_MOST)
        """The newest that somebody's call brought here, by who shares it: by installation, and caller where the
        credential is another for each."""
        self._said: Bounded[str, tuple[float, _Said]] = Bounded(_MOST)
        """What control said in place of a newer credential, and until when (monotonic) it is not asked again."""
        self._suspected: Bounded[str, float] = Bounded(_MOST)
        """By who shares it: until when no result starts a question about it."""

    async def newer(
        self, key: str, question: InstallationQuestion, refused: ResolvedInstallation, until: float
    ) -> ResolvedInstallation | None:
        """The installation with a newer credential than the `refused` one; None where there is none.

        `key`: under which it is remembered; `question`: with what the upstream said. Waits until this monotonic time
        at most. Raises Refusal with control's reason, or SourceUnreachable.
        """
        found = await self._known(key, refused)
        if found is not None:
            return found
        scopes = "?" if question.too_few_scopes else " ".join(question.needed_scopes)
        about, me = f"{_shared_by(key, refused)}/{refused.version}/{refused.obtained_at}/{scopes}", question.digest
        asker, answer = await self._answer(about, key, question, refused, until)
        if asker != me and answer.refusal is None and (found := await self._known(key, refused)) is not None:
            return found
        if asker != me and not _is_for_all(answer, refused):
            asker, answer = await self._answer(f"{about}/{me}", key, question, refused, until)
        if answer.refusal is not None:
            raise Refusal(answer.refusal.code, why=answer.refusal.sentence, link=answer.refusal.link)
        found = answer.installation
        return found if found is not None and asker == me and found.is_newer(refused) else None

    def suspect(self, key: str, question: InstallationQuestion, installation: ResolvedInstallation) -> None:
        """Ask in the background about a credential that a tool's result speaks against, once a minute at most."""
        name, now = installation.shared_by, time.monotonic()
        if not installation.credential_headers or now < (self._suspected.peek(name) or 0.0):
            return
        _ = self._suspected.put(name, now + SUSPECTED_S)
        asking = self.newer(key, question, installation, now + SUSPECTED_S)
        _ = self._tasks.spawn("suspected credential", asking)

    def forget(self, installation_id: str) -> None:
        """The installation changed: what it had before serves nobody, and what was said of it may be otherwise."""
        for memory in (self._newest, self._said):
            for name in [one for one in memory if one.startswith(installation_id)]:
                _ = memory.pop(name)

    def doubt(self) -> None:
        """News may have been missed: the same of all."""
        self._newest.clear()
        self._said.clear()

    async def _known(self, key: str, refused: ResolvedInstallation) -> ResolvedInstallation | None:
        """What is remembered for this caller and is newer already.

        What another caller's call brought is theirs too, as long as control's word holds that this installation is
        theirs: the credential is another then, and the word as old as it was.
        """
        memory = self._resolved.memory
        held = memory.fresh(key)
        if held is None or held.is_newer(refused):
            return held
        newest, rest = self._newest.get(_shared_by(key, held)), memory.rest(key)
        if newest is None or rest is None or not newest.is_newer(refused) or end_of(newest) <= time.time():
            return None
        asked = rest.aged.asked

        async def as_theirs() -> Aged[ResolvedInstallation]:
            return Aged(newest, asked, end_of(newest))

        return await self._resolved.replace(key, as_theirs)

    async def _answer(
        self, about: str, key: str, question: InstallationQuestion, refused: ResolvedInstallation, until: float
    ) -> _Said:
        """What control says, or has said a moment ago; an empty answer where none came in time."""
        said = self._said.peek(about)
        if said is not None and time.monotonic() < said[0]:
            return said[1]
        run = self._asking.run(about, lambda: self._ask(about, key, question, refused))
        done, _ = await asyncio.wait((run,), timeout=max(until - time.monotonic(), 0.0))
        return run.result() if done else (question.digest, InstallationAnswer())

    async def _ask(
        self, about: str, key: str, question: InstallationQuestion, refused: ResolvedInstallation
    ) -> _Said:
        self.questions += 1

        async def ask() -> Aged[ResolvedInstallation]:
            asked = time.monotonic()
            answer = await self._control.renewal(question)
            found = answer.installation
            if found is not None and not may_be_held(key, found):
                raise _NotNewer(InstallationAnswer())
            if found is None or not found.is_newer(refused):
                raise _NotNewer(answer)
            return Aged(found, asked, end_of(found))

        try:
            found = await self._resolved.replace(key, ask)
        except _NotNewer as nothing:
            await self._note(about, key, question, nothing.answer)
            return question.digest, nothing.answer
        # Where something changed meanwhile it was not kept, and is for this call alone.
        if self._resolved.memory.fresh(key) is found:
            _ = self._newest.put(_shared_by(key, found), found)
        return question.digest, InstallationAnswer(found)

    async def _note(self, about: str, key: str, question: InstallationQuestion, answer: InstallationAnswer) -> None:
        refusal = answer.refusal
        if refusal is not None and question.refused_version and refusal.code != "provider_away":
            await self._resolved.drop(key)  # so the next call is refused at once, until somebody has signed in
        if refusal is None or refusal.code in _KEPT:
            age = NOTHING_NEWER_S if refusal is None else REFUSED_S
            _ = self._said.put(about, (time.monotonic() + age, (question.digest, answer)))


def may_be_held(key: str, installation: ResolvedInstallation) -> bool:
    """Whether what control said may be remembered under this key: what was made for one caller, for them alone."""
    made_for, whose = installation.made_for, key.rpartition("/")[2]
    return not made_for or made_for in {principal_in(whose), digest_in(whose)}


def _shared_by(key: str, installation: ResolvedInstallation) -> str:
    """Who may have the same answer. What a server is told of a call (its tool, its gateway) is told of no other."""
    return f"{installation.shared_by}/{key}" if installation.statement_headers else installation.shared_by


def _is_for_all(answer: InstallationAnswer, refused: ResolvedInstallation) -> bool:
    """Whether an answer without a newer credential is the same for all; where somebody must sign in, the link is for
    who asked."""
    if answer.refusal is not None:
        return answer.refusal.code == "provider_away"
    found = answer.installation
    return found is not None and not found.is_newer(refused)
