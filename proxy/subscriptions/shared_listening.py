"""Listening to servers on behalf of several callers: one server is listened to once for all who may share a session.

Who may share is what decides it for calls (`UpstreamSessions.key`): by default one principal. What nobody wants any
more is listened to for a short while longer, so that a subscription that was just asked for, on a request of its own,
is still there when the stream comes on which its news is told. Used by `subscriptions`.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Final

from core.mcp.methods import RESOURCE_UPDATED
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.limits.shares import Shares, quarter
from proxy.refusals import Refusal
from proxy.upstream.addresses import policy_of
from proxy.upstream.answers import Json
from proxy.upstream.listened import Listening, Resolve, Wanted

log = logging.getLogger(__name__)
MOST_HOLDS: Final = 10_000
"""Subscriptions of one worker, those that linger too; a caller has a quarter."""
MOST_OF_SERVER: Final = 500
"""Resources of one server that are listened for, for those who share it."""
LONGEST_PART: Final = 8192
"""Characters of a URI that a server tells of, and nobody subscribed to: it may be a part of one."""
LINGER_S: Final = 30.0
"""How long a resource is still listened for that nobody wants any more."""
STANDS_S: Final = 12.0
"""How long a server has to say that it will tell of a resource."""
AGAIN_S: Final = 60.0
"""After so long a server that refused is asked again, where somebody still wants to hear of it."""
GATHERED_S: Final = 0.05
"""News of one resource within this time is told once."""
Tell = Callable[[str], None]
"""Is told the server's URI of a resource that has changed."""


class Hold:
    """One caller's wish to hear when a resource changes, until it is released."""

    __slots__ = ("_server", "_stood", "principal", "resolve", "tell", "uri")

    def __init__(self, server: "_Server", uri: str, principal: str, resolve: Resolve, tell: Tell) -> None:
        self._server, self.uri, self.principal, self.resolve, self.tell = server, uri, principal, resolve, tell
        self._stood: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def installation_id(self) -> str:
        """Whose server it is."""
        return self._server.installation_id

    async def stands(self) -> None:
        """Wait until the server has said that it will tell. Raises Refusal where it has not."""
        try:
            await asyncio.wait_for(asyncio.shield(self._stood), STANDS_S)
        except TimeoutError:
            raise Refusal("upstream_slow", server=self._server.entry, seconds=STANDS_S) from None

    def stands_now(self) -> None:
        """The server has said that it tells."""
        if self._stood.done():
            self.tell(self.uri)  # not for the first time: what was said meanwhile is missed
        else:
            self._stood.set_result(None)

    def is_refused(self, why: Refusal) -> None:
        """The server has said that it does not tell; whoever has stopped waiting is not told."""
        if not self._stood.done():
            self._stood.set_exception(why)
            self._stood.exception()  # else asyncio warns of one that nobody waits for

    def release(self) -> None:
        """Nobody wants to hear of it any more. Once."""
        self._server.released(self)


class SharedListening:
    """The servers that one worker listens to."""

    def __init__(self, listening: Listening, tasks: Tasks) -> None:
        self._listening, self._tasks = listening, tasks
        self._servers: dict[str, _Server] = {}
        self._shares = Shares()

    def hold(
        self, key: str, installation: ResolvedInstallation, uri: str, principal: str, resolve: Resolve, tell: Tell
    ) -> Hold:
        """Listen for a resource, by its server's URI. `key`: who shares the server. Refuses `too_many_subscriptions`.

        `resolve` says how the server is reached, each time that it is connected.
        """
        server = self._servers.get(key) or _Server(self, key, installation)
        if server.is_full_for(uri) or not self._shares.take(principal, 1, most=MOST_HOLDS, share=quarter(MOST_HOLDS)):
            raise Refusal("too_many_subscriptions", most=MOST_OF_SERVER)
        self._servers[key] = server
        hold = Hold(server, uri, principal, resolve, tell)
        server.add(hold)
        return hold

    def forget_installation(self, identifier: str) -> None:
        """The installation changed: what is listened to with it ends now."""
        for server in [one for one in self._servers.values() if one.installation_id == identifier]:
            server.end()

    def held_to_policies(self) -> set[str]:
        """The installations whose servers are listened to where an environment's policy allows it."""
        return {server.installation_id for server in self._servers.values() if server.policy}

    def given_back(self, hold: Hold) -> None:
        """A hold was released, and does not linger (called by its server)."""
        self._shares.give_back(hold.principal, 1)

    def start(self, server: "_Server") -> "asyncio.Task[None]":
        """Begin to listen (called by a server)."""
        return self._tasks.spawn("listen for callers", server.listen(self._listening))

    def ended(self, key: str, server: "_Server") -> None:
        """Nobody wants to hear it any more (called by a server)."""
        if self._servers.get(key) is server:
            del self._servers[key]

    def __len__(self) -> int:
        """Servers that are listened to."""
        return len(self._servers)


class _Server:
    """One server that is listened to, and who hears what it says: the ears of `Listening.follow`.

    A URI is in `_holds` from the first hold on until it has lingered. The server tells of it (`_standing`), has
    refused it (`_refused`), or was not asked or has not answered yet.
    """

    def __init__(self, shared: SharedListening, key: str, installation: ResolvedInstallation) -> None:
        self._shared, self._key = shared, key
        self.installation_id, self.entry = installation.installation_id, installation.entry
        self._wanted = Wanted()
        self.policy = policy_of(installation)
        """To which its address was held when it was connected last."""
        self._holds: dict[str, set[Hold]] = {}
        """By URI; an empty set lingers."""
        self._lingering: dict[str, tuple[Hold, asyncio.TimerHandle]] = {}
        """Who held it last has its place still: else who subscribes and leaves at once would have all places."""
        self._standing: frozenset[str] = frozenset()
        self._refused: set[str] = set()
        """Those that the server refused when it was asked last."""
        self._why: Refusal | None = None
        """Why the whole server is not listened to, until it is asked again."""
        self._resolve: Resolve | None = None
        self._task: asyncio.Task[None] | None = None
        self._news: set[str] = set()
        """URIs of which the server said that they have changed, and nobody was told yet."""
        self._telling: asyncio.TimerHandle | None = None

    def is_full_for(self, uri: str) -> bool:
        return uri not in self._holds and len(self._holds) >= MOST_OF_SERVER

    def add(self, hold: Hold) -> None:
        uri = hold.uri
        self._holds.setdefault(uri, set()).add(hold)
        self._resolve = hold.resolve
        self._linger_no_more(uri)
        if self._why is not None:
            hold.is_refused(self._why)
        elif uri in self._standing:
            hold.stands_now()
        elif uri in self._refused:
            self._wanted.ask_again()
        self._wanted.become(frozenset(self._holds))
        if self._task is None:
            self._task = self._shared.start(self)

    def released(self, hold: Hold) -> None:
        holds = self._holds.get(hold.uri, set())
        if hold not in holds:
            return
        holds.discard(hold)
        if holds:
            self._shared.given_back(hold)
        else:
            later = asyncio.get_running_loop().call_later
            self._lingering[hold.uri] = hold, later(LINGER_S, self._drop, hold.uri)

    def end(self) -> None:
        """Listen no more; those who still wait are told to ask again."""
        self._shared.ended(self._key, self)
        if self._task is not None:
            self._task.cancel()
        if self._telling is not None:
            self._telling.cancel()
        for uri in list(self._lingering):
            self._linger_no_more(uri)
        for hold in [one for holds in self._holds.values() for one in holds]:
            hold.is_refused(Refusal("subscriptions_away"))

    async def listen(self, listening: Listening) -> None:
        """Until nobody wants to hear it; a server that refuses is asked again after a while."""
        while True:
            try:
                await listening.follow(self._resolved, self._wanted, self)
            except Refusal as refusal:
                log.info("a server is not listened to", extra={"entry": self.entry, "why": refusal.reason})
                self._why = refusal
                for uri in list(self._holds):
                    self.refused(uri, refusal)
            await asyncio.sleep(AGAIN_S)
            self._why = None

    async def _resolved(self) -> ResolvedInstallation:
        """With the credential of one who still listens: another's may have ended."""
        hold = next((one for holds in self._holds.values() for one in holds), None)
        resolve = self._resolve if hold is None else hold.resolve
        assert resolve is not None  # it begins with the first that is held
        installation = await resolve()
        self.policy = policy_of(installation)
        return installation

    def _linger_no_more(self, uri: str) -> None:
        last = self._lingering.pop(uri, None)
        if last is not None:
            hold, timer = last
            timer.cancel()
            self._shared.given_back(hold)

    def _drop(self, uri: str) -> None:
        self._linger_no_more(uri)
        self._holds.pop(uri, None)
        self._refused.discard(uri)
        if self._holds:
            self._wanted.become(frozenset(self._holds))
        else:
            self.end()

    def hear(self, method: str, params: Json) -> None:
        """See `Ears`. A server may name a part of what was subscribed to (MCP 2025-11-25, "Resource Updated")."""
        uri = params.get("uri")
        if method != RESOURCE_UPDATED or not isinstance(uri, str):
            return
        if uri not in self._holds and (len(uri) > LONGEST_PART or len(self._news) >= MOST_OF_SERVER):
            return  # a server that floods: what was subscribed to is told all the same
        self._news.add(uri)
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(GATHERED_S, self._tell)

    def stands(self, uris: frozenset[str]) -> None:
        """See `Ears`."""
        new, self._standing = uris - self._standing, uris
        self._refused -= uris
        for uri in new:
            for hold in list(self._holds.get(uri, ())):
                hold.stands_now()

    def refused(self, uri: str, why: Refusal) -> None:
        """See `Ears`."""
        if uri in self._holds:
            self._refused.add(uri)
        for hold in list(self._holds.get(uri, ())):
            hold.is_refused(why)

    def away(self) -> None:
        """See `Ears`."""
        self._standing = frozenset()

    def _tell(self) -> None:
        self._telling, news, self._news = None, self._news, set()
        for uri in sorted(news):
            for own in dict.fromkeys(_wholes(uri)):
                for hold in list(self._holds.get(own, ())):
                    hold.tell(uri)


def _wholes(uri: str) -> Iterator[str]:
    """A URI, and all of which it is a part."""
    yield uri
    for at, mark in enumerate(uri):
        if mark in "/#?":
            yield uri[:at]
            if mark == "/" and at + 1 < len(uri):
                yield uri[: at + 1]
