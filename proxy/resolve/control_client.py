"""Questions to control's internal listener, asked on cold keys only.

Several addresses are tried in turn. A control that does not answer is left alone after three failures and probed
once a second, so that callers whose values may serve from memory wait for nothing. Raises SourceUnreachable when
there is no answer, or none that can be read; what control says is believed only when it is sealed for this very call.
"""

import logging
from typing import TypeVar

import msgspec

from core.egress.addresses import PublicUrl
from core.egress.client import Egress, UpstreamFault, read_capped
from core.internal_call import MAX_ANSWER, InternalCalls
from core.resolve import (
    CallerQuestion,
    CallerQuestions,
    CallerVerdict,
    CallerVerdicts,
    GatewayAnswer,
    GatewayQuestion,
    IndexAnswer,
    InstallationAnswer,
    InstallationAnswers,
    InstallationQuestion,
    InstallationQuestions,
)
from core.sealing import SealBroken
from proxy.caches.two_ages import SourceUnreachable
from proxy.resolve.control_clock import ControlClock
from proxy.resolve.control_pulse import ControlPulse

log = logging.getLogger(__name__)
T = TypeVar("T")

DEADLINE_S = 3.0
_CALLERS, _INSTALLATIONS = "/internal/tokens", "/internal/connections"
"""Paths of lists, named as version 0.1 names them."""
_KNOWS_NO_LISTS = frozenset({400, 403, 404, 405})
"""What a control of another version answers to a list: 403 where it does not know its path, as to a stranger."""


class ListsUnknown(Exception):
    """Control cannot read a list of questions, or we not its answer: it is of another version. Ask one by one."""


class ControlClient:
    """Asks control. Its `egress` is a client of its own: control's address is the operator's word, not a user's."""

    def __init__(self, egress: Egress, addresses: tuple[str, ...], calls: InternalCalls) -> None:
        self._egress = egress
        self._addresses = [address.strip().rstrip("/") for address in addresses]
        self._calls = calls
        self.pulse = ControlPulse()
        self.clock = ControlClock()

    @property
    def away(self) -> bool:
        """Whether control is being left alone just now."""
        return self.pulse.away

    async def caller(self, question: CallerQuestion) -> CallerVerdict:
        """Ask who bears a credential."""
        return await self._ask("/internal/token", question, CallerVerdict)

    async def installation(self, question: InstallationQuestion) -> InstallationAnswer:
        """Ask which upstream and which credential serve a call."""
        return await self._ask("/internal/connection", question, InstallationAnswer)

    async def callers(self, questions: list[CallerQuestion]) -> dict[CallerQuestion, CallerVerdict]:
        """Ask who bears these credentials; raises ListsUnknown. What control leaves out is to be asked alone."""
        answer = await self._ask(_CALLERS, CallerQuestions.of(questions), CallerVerdicts)
        verdicts = {verdict.digest: verdict for verdict in answer.verdicts}
        return {question: verdicts[question.digest] for question in questions if question.digest in verdicts}

    async def installations(
        self, questions: list[InstallationQuestion]
    ) -> dict[InstallationQuestion, InstallationAnswer]:
        """Ask for many installations; raises ListsUnknown. What control leaves out is to be asked alone."""
        answer = await self._ask(_INSTALLATIONS, InstallationQuestions(questions), InstallationAnswers)
        return {one.question: one.answer for one in answer.answers}

    async def gateway(self, question: GatewayQuestion) -> GatewayAnswer:
        """Ask for a gateway's snapshot."""
        return await self._ask("/internal/gateway", question, GatewayAnswer)

    async def index(self) -> IndexAnswer:
        """Ask for the index of every gateway that exists."""
        return await self._ask("/internal/index", None, IndexAnswer)

    async def _ask(self, path: str, question: msgspec.Struct | None, kind: type[T]) -> T:
        if self.pulse.away:
            raise SourceUnreachable
        body = b"" if question is None else msgspec.msgpack.encode(question)
        asking = object()
        self.pulse.begins(asking)
        try:
            return await self._of_any(path, body, kind)
        finally:
            self.pulse.ends(asking)

    async def _of_any(self, path: str, body: bytes, kind: type[T]) -> T:
        """The answer of the first address that gives one."""
        for address in list(self._addresses):
            try:
                answer = msgspec.msgpack.decode(await self._post(address, path, body), type=kind)
            except (UpstreamFault, SealBroken, msgspec.MsgspecError) as fault:
                if isinstance(fault, msgspec.MsgspecError) and path in (_CALLERS, _INSTALLATIONS):
                    raise ListsUnknown from fault
                why = (fault.detail if isinstance(fault, UpstreamFault) else "") or str(fault)
                log.info("control gave no answer", extra={"path": path, "why": why})
                self._addresses.append(self._addresses.pop(0))  # the next question begins at another replica
                continue
            self.pulse.answers()
            return answer
        self.pulse.fails()
        raise SourceUnreachable

    async def _post(self, address: str, path: str, body: bytes) -> bytes:
        authorization, call_id = self._calls.mint("POST", path, body)
        headers = {"Authorization": authorization, "Content-Type": "application/octet-stream"}
        url = PublicUrl(address + path)
        async with self._egress.request("POST", url, headers, body, deadline=DEADLINE_S) as response:
            mistimed = self.clock.seen(response.status, response.headers)
            if response.status in _KNOWS_NO_LISTS and path in (_CALLERS, _INSTALLATIONS) and not mistimed:
                raise ListsUnknown
            if response.status != 200:
                detail = f"control answered {response.status}" + (f": {mistimed}" if mistimed else "")
                raise UpstreamFault("broken", sent=True, detail=detail)
            return self._calls.open_answer(call_id, await read_capped(response, MAX_ANSWER))
