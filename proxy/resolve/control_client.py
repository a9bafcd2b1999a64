"""Questions to control's internal listener, asked on cold keys only.

Several addresses are tried in turn. A control that does not answer is left alone after three failures and probed
once a second, so that callers whose values may serve from memory wait for nothing. Raises SourceUnreachable when
there is no answer, or none that can be read; what control says is believed only when it is sealed for this very call.
A question with a signed token in it goes sealed, which a control of the version before cannot read. It is not taken
to be away for that: what is remembered serves.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace

from core.egress.addresses import PublicUrl
from core.egress.client import Egress, UpstreamFault, read_capped
from core.gateway_answers import GatewayAnswer, GatewayQuestion, IndexAnswer
from core.internal_call import MAX_ANSWER, PLAIN, SEALED, InternalCalls
from core.key_sets import KeySetAnswer, KeySetQuestion
from core.resolve import (
    CallerQuestion,
    CallerQuestions,
    CallerVerdict,
    CallerVerdicts,
    InstallationAnswer,
    InstallationAnswers,
    InstallationQuestion,
    InstallationQuestions,
)
from core.rooms import Rooms
from core.sealing import SealBroken
from core.sign_in_steps import StepsTaken, ToldSteps
from core.watches import HeardLists, HeardTaken, WatchAnswer, WatchQuestion
from proxy.caches.two_ages import SourceUnreachable
from proxy.resolve.control_clock import ControlClock
from proxy.resolve.control_pulse import ControlPulse

log = logging.getLogger(__name__)
T = TypeVar("T")

DEADLINE_S = 3.0
RENEWAL_S = 15.0
"""How long control may take to renew a credential: it asks a provider, and waits where another replica does."""
FIRST_WAITS_S: Final = 0.3
"""How long an answer about an installation waits for a provider at first: a question that waits has a place."""
RENEWAL_WAITS_S: Final = 10.0
FIRST_AT_ONCE: Final = 16
"""Questions of this worker about the installations of one tool, so that a crowd at one tool waits here, in its order,
and neither fills control nor keeps anybody from another tool."""
PATIENT_AT_ONCE: Final = 50
"""The same of questions that wait for a provider."""
PLACE_WITHIN_S: Final = 20.0
_CALLERS, _INSTALLATIONS = "/internal/tokens", "/internal/connections"
"""Paths of lists, named as version 0.1 names them."""
_KEY_SET, _STEPS = "/internal/key-set", "/internal/sign-in-steps"
_WATCHES, _NEWS = "/internal/watches", "/internal/news-of-lists"
_NOT_ALWAYS = frozenset({_CALLERS, _INSTALLATIONS, _KEY_SET, _STEPS, _WATCHES, _NEWS})
"""Paths that a control of the version before may not know: that it has no answer there is no failure of its."""
_KNOWS_NO_LISTS = frozenset({400, 403, 404, 405})
"""What a control of another version answers to these: 403 where it does not know the path, as to a stranger."""
_BESIDE_JWT: Final = 512
"""Bytes for all of a question that is no signed token: a digest, two identifiers and the names of fields."""


class ListsUnknown(Exception):
    """Control cannot read a list of questions, or we not its answer: it is of another version. Ask one by one.

    So is one that does not know a path that came later, where `ControlClient` says what that means.
    """


class SealUnknown(Exception):
    """Control cannot read a question because it is sealed: it is of the version before."""


def room_of(question: CallerQuestion | InstallationQuestion) -> int:
    """How many bytes a question takes in a list, at most."""
    return _BESIDE_JWT + len(question.jwt)


class ControlClient:
    """Asks control. Its `egress` is a client of its own: control's address is the operator's word, not a user's."""

    def __init__(self, egress: Egress, addresses: tuple[str, ...], calls: InternalCalls) -> None:
        self._egress = egress
        self._addresses = [address.strip().rstrip("/") for address in addresses]
        self._calls = calls
        self._first, self._patient = Rooms(FIRST_AT_ONCE), Rooms(PATIENT_AT_ONCE)
        self.pulse = ControlPulse()
        self.clock = ControlClock()

    @property
    def away(self) -> bool:
        """Whether control is being left alone just now."""
        return self.pulse.away

    async def caller(self, question: CallerQuestion) -> CallerVerdict:
        """Ask who bears a credential."""
        return await self._ask("/internal/token", question, CallerVerdict, secret=question.jwt != "")

    async def installation(self, question: InstallationQuestion) -> InstallationAnswer:
        """Ask which upstream and which credential serve a call. Where a provider has to give a token first, the
        answer is soon that this is under way; `renewal` waits for it."""
        asked = replace(question, waits_s=FIRST_WAITS_S)
        async with self._place(self._first, question):
            return await self._ask("/internal/connection", asked, InstallationAnswer, secret=question.jwt != "")

    async def renewal(self, question: InstallationQuestion) -> InstallationAnswer:
        """Ask for a credential that a provider has to give first. That the answer is late is not held against
        control, which waits for the provider then: others' questions go on."""
        asked = replace(question, waits_s=RENEWAL_WAITS_S)
        async with self._place(self._patient, question):
            try:
                async with asyncio.timeout(RENEWAL_S):
                    return await self._ask(
                        "/internal/connection", asked, InstallationAnswer, secret=question.jwt != "", patient=True
                    )
            except TimeoutError:
                raise SourceUnreachable from None

    @asynccontextmanager
    async def _place(self, rooms: Rooms, question: InstallationQuestion) -> AsyncIterator[None]:
        """A place for this question among those about the same tool, in their order: more at once would only wait at
        control, which sends away what it has no room for. Raises SourceUnreachable."""
        async with AsyncExitStack() as staying:
            try:
                await staying.enter_async_context(rooms.place(question.assignment_id, PLACE_WITHIN_S))
            except TimeoutError:
                raise SourceUnreachable from None
            yield

    async def callers(self, questions: list[CallerQuestion]) -> dict[CallerQuestion, CallerVerdict]:
        """Ask who bears these credentials; raises ListsUnknown. What control leaves out is to be asked alone."""
        asked = CallerQuestions.of(questions)
        answer = await self._ask(_CALLERS, asked, CallerVerdicts, secret=bool(asked.jwts))
        verdicts = {verdict.digest: verdict for verdict in answer.verdicts}
        return {question: verdicts[question.digest] for question in questions if question.digest in verdicts}

    async def installations(
        self, questions: list[InstallationQuestion]
    ) -> dict[InstallationQuestion, InstallationAnswer]:
        """Ask for many installations; raises ListsUnknown. What control leaves out is to be asked alone."""
        secret = any(question.jwt for question in questions)
        asked = InstallationQuestions(questions)
        answer = await self._ask(_INSTALLATIONS, asked, InstallationAnswers, secret=secret)
        answers = {one.question: one.answer for one in answer.answers}
        return {question: answers[question.named] for question in questions if question.named in answers}

    async def key_set(self, question: KeySetQuestion) -> KeySetAnswer:
        """Ask for the keys of an issuer. A control of the version before knows of none."""
        try:
            return await self._ask(_KEY_SET, question, KeySetAnswer)
        except ListsUnknown:
            return KeySetAnswer()

    async def sign_in_steps(self, told: ToldSteps) -> StepsTaken:
        """Tell of steps of signing in; raises ListsUnknown of a control of the version before."""
        return await self._ask(_STEPS, told, StepsTaken)

    async def watches(self, question: WatchQuestion) -> WatchAnswer:
        """Ask which servers to listen to; raises ListsUnknown of a control of the version before."""
        return await self._ask(_WATCHES, question, WatchAnswer)

    async def news_of_lists(self, heard: HeardLists) -> HeardTaken:
        """Tell what servers said of their lists; raises ListsUnknown as `watches`."""
        return await self._ask(_NEWS, heard, HeardTaken)

    async def gateway(self, question: GatewayQuestion) -> GatewayAnswer:
        """Ask for a gateway's snapshot."""
        return await self._ask("/internal/gateway", question, GatewayAnswer)

    async def index(self) -> IndexAnswer:
        """Ask for the index of every gateway that exists."""
        return await self._ask("/internal/index", None, IndexAnswer)

    async def _ask(
        self,
        path: str,
        question: msgspec.Struct | None,
        kind: type[T],
        *,
        secret: bool = False,
        patient: bool = False,
    ) -> T:
        if self.pulse.away:
            raise SourceUnreachable
        body = b"" if question is None else msgspec.msgpack.encode(question)
        if patient:
            return await self._of_any(path, body, kind, secret, patient=True)
        asking = object()
        self.pulse.begins(asking)
        try:
            return await self._of_any(path, body, kind, secret)
        finally:
            self.pulse.ends(asking)

    async def _of_any(self, path: str, body: bytes, kind: type[T], secret: bool, *, patient: bool = False) -> T:
        """The answer of the first address that gives one."""
        seconds = RENEWAL_S if patient else DEADLINE_S
        of_another_version = False
        for address in list(self._addresses):
            try:
                answer = msgspec.msgpack.decode(await self._post(address, path, body, secret, seconds), type=kind)
            except (UpstreamFault, SealBroken, SealUnknown, msgspec.MsgspecError) as fault:
                if isinstance(fault, msgspec.MsgspecError) and path in _NOT_ALWAYS:
                    raise ListsUnknown from fault
                of_another_version = of_another_version or isinstance(fault, SealUnknown)
                why = (fault.detail if isinstance(fault, UpstreamFault) else "") or str(fault)
                log.info("control gave no answer", extra={"path": path, "why": why})
                self._addresses.append(self._addresses.pop(0))  # the next question begins at another replica
                continue
            self.pulse.answers()
            return answer
        if of_another_version:
            self.pulse.answers()
        elif not patient:
            self.pulse.fails()
        raise SourceUnreachable

    async def _post(self, address: str, path: str, body: bytes, secret: bool, seconds: float) -> bytes:
        if secret:
            body = self._calls.seal_question(path, body)
        authorization, call_id = self._calls.mint("POST", path, body)
        headers = {"Authorization": authorization, "Content-Type": SEALED if secret else PLAIN}
        url = PublicUrl(address + path)
        async with self._egress.request("POST", url, headers, body, deadline=seconds) as response:
            mistimed = self.clock.seen(response.status, response.headers)
            if response.status in _KNOWS_NO_LISTS and path in _NOT_ALWAYS and not mistimed:
                raise ListsUnknown
            if response.status == 400 and secret:
                raise SealUnknown("it cannot read what is sealed")
            if response.status != 200:
                detail = f"control answered {response.status}" + (f": {mistimed}" if mistimed else "")
                raise UpstreamFault("broken", sent=True, detail=detail)
            return self._calls.open_answer(call_id, await read_capped(response, MAX_ANSWER))
