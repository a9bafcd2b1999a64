"""What follows from an answer to a call whose status is no success: for its session, for its era, for its caller.

Called by `conversation` for each such answer. What the answer says of a session is read in `session_loss`; here it is
done.
"""

from core.resolve import ResolvedInstallation
from proxy.upstream.answers import Json
from proxy.upstream.eras import LATER, Eras
from proxy.upstream.handshake import UpstreamSession
from proxy.upstream.outbound import Outbound
from proxy.upstream.session_loss import Fate, fate_after
from proxy.upstream.sessions import UpstreamSessions
from proxy.upstream.transport import UpstreamAnswer
from proxy.upstream.unsuccessful import Unsuccessful, read_unsuccessful


class SessionLost(Exception):
    """The upstream does not know the session, so that the call was not run. `said`: its answer."""

    def __init__(self, said: Json | Unsuccessful) -> None:
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
    ) -> Json:
        """The JSON-RPC error in it. Raises SessionLost, and Refusal where there is no such error.

        `session`, `key`: the legacy session that the call was in, and its owner's.
        """
        answer = await read_unsuccessful(response)
        of_all = session is None or await self._speaks_against(session, key, answer, outbound)
        if of_all and 400 <= answer.status < 500 and answer.status not in {401, 403} | LATER:
            self._eras.forget(installation)  # it may have been replaced by a server of the other era
        return self.told(installation, outbound, answer)

    def told(self, installation: ResolvedInstallation, outbound: Outbound, said: Json | Unsuccessful) -> Json:
        """An answer as the call's own: the JSON-RPC error in it; else raises the refusal."""
        if not isinstance(said, Unsuccessful):
            return said
        if said.error is None or said.status < 400 or said.status in {401, 403}:
            raise said.refusal(installation, outbound.method)
        return {"jsonrpc": "2.0", "id": outbound.id, "error": said.error}

    async def _speaks_against(
        self, session: UpstreamSession, key: str, answer: Unsuccessful, outbound: Outbound
    ) -> bool:
        """Whether it says something against the session, or there is none that it could be said of."""
        fate = fate_after(answer, ours=outbound.id, has_id=session.id is not None)
        if fate is Fate.LOST:
            raise SessionLost(answer)
        if fate is Fate.ENDS:
            await self._sessions.lost(key, session)
        elif fate is Fate.DOUBTED:
            self._sessions.doubt(key, session)
        return fate is not Fate.LIVES or session.id is None
