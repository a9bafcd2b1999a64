"""What follows from an answer to a call whose status is no success: for its session, for its era, for its caller.

Called by `conversation` for each such answer. What the answer says of a session is read in `session_loss`; here it is
done.
"""

from core.egress.faults import UpstreamFault
from core.resolve import ResolvedInstallation
from proxy.refusals import Refusal
from proxy.upstream.answers import Json
from proxy.upstream.eras import LATER, Eras
from proxy.upstream.faults import upstream_text
from proxy.upstream.handshake import UpstreamSession
from proxy.upstream.outbound import Outbound
from proxy.upstream.session_loss import Fate, fate_after
from proxy.upstream.sessions import UpstreamSessions
from proxy.upstream.transport import UpstreamAnswer
from proxy.upstream.unsuccessful import Unsuccessful, read_unsuccessful


class SessionLost(Exception):
    """The upstream does not know the session, so that the call was not run. `said`: its answer."""

    def __init__(self, said: Json | Unsuccessful | UpstreamFault) -> None:
        super().__init__()
        self.said = said


class RefusedCalls:
    """Judges the refusals of upstreams."""

    def __init__(self, sessions: UpstreamSessions, eras: Eras) -> None:
        self._sessions, self._eras = sessions, eras

    async def answer_of(
        self,
        installation: ResolvedInstallation,
        outbound: Outbound,
        response: UpstreamAnswer,
        session: UpstreamSession | None,
        key: str,
        *,
        is_new: bool = False,
    ) -> Json:
        """The JSON-RPC error in it. Raises SessionLost, and Refusal where there is no such error.

        `session`, `key`: the legacy session that the call was in, and its owner's. `is_new`: it was opened for this
        call, so that a refusal is of something else.
        """
        answer = await read_unsuccessful(response)
        fate = None if session is None else await self._done_with(session, key, answer, outbound)
        of_all = fate is not Fate.LIVES or session is None or session.id is None
        if of_all and 400 <= answer.status < 500 and answer.status not in {401, 403} | LATER:
            self._eras.forget(installation)  # it may have been replaced by a server of the other era
        if fate is Fate.ENDS and not is_new and not answer.is_to(outbound.id):
            raise Refusal(
                "upstream_session",
                server=installation.entry,
                status=answer.status,
                text="" if answer.error is None else upstream_text(answer.error.get("message")),
                said=answer.words,
                detail=f"{outbound.method}: status {answer.status}",
            )
        return self.told(installation, outbound, answer)

    def told(
        self, installation: ResolvedInstallation, outbound: Outbound, said: Json | Unsuccessful | UpstreamFault
    ) -> Json:
        """An answer as the call's own: the JSON-RPC error in it; else raises the refusal, or the fault."""
        if isinstance(said, UpstreamFault):
            raise said
        if not isinstance(said, Unsuccessful):
            return said
        if said.error is None or said.status < 400 or said.status in {401, 403}:
            raise said.refusal(installation, outbound.method)
        return {"jsonrpc": "2.0", "id": outbound.id, "error": said.error}

    async def _done_with(self, session: UpstreamSession, key: str, answer: Unsuccessful, outbound: Outbound) -> Fate:
        """What becomes of the session after this answer."""
        fate = fate_after(answer, ours=outbound.id, has_id=session.id is not None)
        if fate is Fate.LOST:
            raise SessionLost(answer)
        if fate is Fate.ENDS:
            await self._sessions.leave(key, session)
        elif fate is Fate.DOUBTED:
            self._sessions.doubt(key, session)
        return fate
