"""How an upstream is doing: what every answer and every fault of it says, to its breaker and to its era.

`sent_call.py` and `conversation.py` call upstreams and tell this what came; `probe.py` lets it guard its questions.
Faults of the transport become refusals here, and nowhere else.
"""

from collections.abc import Awaitable
from typing import TypeVar

from core.egress.faults import UpstreamFault
from core.mcp.faults import UNSUPPORTED_VERSION
from core.resolve import ResolvedInstallation
from proxy.refusals import Refusal
from proxy.upstream.answers import Json
from proxy.upstream.breakers import Breakers
from proxy.upstream.deadlines import Deadlines
from proxy.upstream.eras import Eras
from proxy.upstream.faults import TRANSPORT, refusal_of

T = TypeVar("T")


class Health:
    """What this worker knows of its upstreams: a breaker and an era each."""

    def __init__(self, eras: Eras, deadlines: Deadlines, *, max_answer: int) -> None:
        self.breakers, self.eras = Breakers(), eras
        self._deadlines, self._max_answer = deadlines, max_answer

    async def guarded(self, installation: ResolvedInstallation, work: Awaitable[T]) -> T:
        """Do something with an upstream: its faults become refusals, and count for or against its breaker."""
        try:
            done = await work
        except UpstreamFault as fault:
            raise self.refusal(installation, fault) from fault
        except Refusal:
            self.breakers.answered(installation.installation_id)  # it said no, so it is alive
            raise
        self.breakers.answered(installation.installation_id)
        return done

    def refusal(self, installation: ResolvedInstallation, fault: UpstreamFault) -> Refusal:
        """What a caller is told of a fault, which counts against the upstream's breaker if it is the transport's."""
        seconds = self._deadlines.seconds_for(installation)
        refusal = refusal_of(fault, installation, seconds=seconds, limit=self._max_answer)
        if refusal.reason in TRANSPORT:
            self.breakers.failed(installation.installation_id)
        return refusal

    def answered(self, installation: ResolvedInstallation, answer: Json) -> None:
        """An upstream has answered, so it is alive; and what it says may tell that it is not what it was."""
        self.breakers.answered(installation.installation_id)
        if isinstance(error := answer.get("error"), dict) and error.get("code") == UNSUPPORTED_VERSION:
            self.eras.forget(installation)  # it was replaced by another version: the next call asks again
