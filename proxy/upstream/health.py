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
from proxy.upstream.faults import AT_ONCE_OR_OURS, TRANSPORT, refusal_of
from proxy.upstream.outbound import Outbound

T = TypeVar("T")


class Health:
    """What this worker knows of its upstreams: breakers and an era each. `caller`: the key of a principal."""

    def __init__(self, eras: Eras, deadlines: Deadlines, *, max_answer: int) -> None:
        self.breakers, self.eras = Breakers(), eras
        self._deadlines, self._max_answer = deadlines, max_answer

    def doubts(self, installation: ResolvedInstallation, outbound: Outbound, caller: str) -> bool:
        """Whether such a call, or the connecting, has failed since the last answer."""
        return self.breakers.doubts_call(installation.installation_id, _tool(outbound), caller)

    def admit(self, installation: ResolvedInstallation, outbound: Outbound, caller: str) -> None:
        """Let a call try, or raise the refusal of one that rests."""
        upstream = installation.installation_id
        if not self.breakers.doubts(upstream):
            return
        if self.breakers.rests(upstream):
            raise Refusal("upstream_resting", server=installation.entry)
        if self.breakers.rests_call(upstream, _tool(outbound), caller):
            raise Refusal("upstream_resting", server=f"This tool of {installation.entry}")

    async def guarded(
        self, installation: ResolvedInstallation, outbound: Outbound, caller: str, work: Awaitable[T]
    ) -> T:
        """Do something with an upstream: its faults become refusals, and count for or against its breakers."""
        try:
            done = await work
        except UpstreamFault as fault:
            raise self.refusal(installation, outbound, caller, fault) from fault
        except Refusal:
            self._alive(installation, outbound, caller)  # it said no, so it is alive
            raise
        self._alive(installation, outbound, caller)
        return done

    def refusal(
        self, installation: ResolvedInstallation, outbound: Outbound, caller: str, fault: UpstreamFault
    ) -> Refusal:
        """What a caller is told of a fault, which counts against the server, this caller's calls of this tool, or
        nobody."""
        seconds = self._deadlines.seconds_for(installation)
        refusal = refusal_of(fault, installation, seconds=seconds, limit=self._max_answer)
        if fault.whole:
            self._alive(installation, outbound, caller)
        elif refusal.reason in TRANSPORT and fault.sent:
            self.breakers.call_failed(installation.installation_id, _tool(outbound), caller)
        elif refusal.reason in TRANSPORT and fault.kind not in AT_ONCE_OR_OURS:
            slowly = fault.reason != "refused" or fault.kind == "unreachable"
            self.breakers.failed_to_connect(installation.installation_id, slowly=slowly)
        return refusal

    def answered(self, installation: ResolvedInstallation, outbound: Outbound, caller: str, answer: Json) -> None:
        """An upstream has answered, so it is alive; and what it says may tell that it is not what it was."""
        if self.breakers.doubts(installation.installation_id):
            self._alive(installation, outbound, caller)
        if isinstance(error := answer.get("error"), dict) and error.get("code") == UNSUPPORTED_VERSION:
            self.eras.forget(installation)  # it was replaced by another version: the next call asks again

    def forget_installation(self, identifier: str) -> None:
        """The installation changed, or was discovered again by some worker: what was found out is asked again."""
        self.breakers.forget(identifier)
        self.eras.forget_installation(identifier)

    def _alive(self, installation: ResolvedInstallation, outbound: Outbound, caller: str) -> None:
        self.breakers.answered(installation.installation_id, _tool(outbound), caller)


def _tool(outbound: Outbound) -> str:
    return outbound.named or outbound.method
