"""Subscriptions of callers to single resources, and the streams on which they hear of changes.

A legacy caller subscribes by requests (`proxy/stages/subscribe.py`); what its session is subscribed to is kept for
whichever worker has the session's stream, and that one listens. A modern caller names the resources with the request
whose answer is the stream (`proxy/answers/listen.py`). In both cases a server is first asked, and what it refuses is
no subscription. Each server is listened to with the credential of the caller, as it is called.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

import orjson

from core.keys import KeyRing
from core.mcp.event_stream import encode_event
from core.mcp.methods import META_SUBSCRIPTION, RESOURCE_UPDATED
from core.resolve import InstallationQuestion, ResolvedInstallation
from core.snapshot import Offer
from core.spreading import between
from core.tasks import Tasks
from proxy.caches.two_ages import SourceUnreachable
from proxy.caller import Caller
from proxy.gateways.compiled import CompiledGateway
from proxy.gateways.stream_news import Subscribed, Subscription
from proxy.offered.names import with_name
from proxy.redis import Redis
from proxy.refusals import Refusal
from proxy.resolve.installations import Installations, whose
from proxy.sessions.mailbox import Letter, Mailbox
from proxy.sessions.sealed import Session
from proxy.subscriptions.of_sessions import OfSessions
from proxy.subscriptions.shared_listening import Hold, SharedListening, Tell
from proxy.upstream.listened import Listening
from proxy.upstream.sessions import UpstreamSessions

AGAIN_S: Final = 5.0
"""Within so long a stream whose session's subscriptions could not be read, or may have changed unheard, looks again:
each at a moment of its own, so that ten thousand of them do not ask Redis at once."""


class CallersStream(Protocol):
    """A stream on which a caller hears news, as `proxy/edge/stream_sweep.py` holds it."""

    gateway: CompiledGateway | None
    subscription: Subscription | None
    session: Session | None
    caller: Caller


class Subscriptions:
    """The subscriptions of callers whose streams this worker has."""

    def __init__(
        self,
        listening: Listening,
        redis: Redis,
        ring: KeyRing,
        mailbox: Mailbox,
        installations: Installations,
        tasks: Tasks,
    ) -> None:
        self.shared, self._stored = SharedListening(listening, tasks), OfSessions(redis, ring)
        self._mailbox, self._installations, self._tasks = mailbox, installations, tasks
        self._streams: dict[object, _OfStream] = {}
        self._of_session: dict[str, _OfStream] = {}
        """By the session's jti, which has one stream."""

    async def ask(self, caller: Caller, gateway: CompiledGateway, jti: str | None, one: Subscribed) -> None:
        """Have a server say that it tells of a resource. Raises Refusal where it does not, or cannot be asked."""
        offer = offer_of(gateway, one)
        if offer is None:
            raise Refusal("resource_not_found", uri=one.exposed[:256])
        hold = await self._hold(caller, gateway, jti, one, offer, lambda _: None)
        try:
            await hold.stands()
        finally:
            hold.release()  # it is listened for a while longer

    async def keep(self, session: Session, one: Subscribed) -> None:
        """A legacy session is subscribed. Refuses `too_many_subscriptions` and `subscriptions_away`."""
        await self._stored.add(session.jti, one)
        await self._mailbox.post(Letter("subscribed", session.jti))

    async def drop(self, session: Session, exposed: str) -> None:
        """A legacy session is not subscribed any more, if it was. Refuses `subscriptions_away`."""
        await self._stored.remove(session.jti, exposed)
        await self._mailbox.post(Letter("subscribed", session.jti))

    def begin(self, stream: object, held: CallersStream, say: Callable[[bytes], None]) -> None:
        """A stream has begun on which news is told, or its gateway is another one: what that offers no more is heard
        of no more. Of a stream that can hear nothing here, nothing is kept: there may be ten thousand.
        """
        of = self._streams.get(stream)
        if of is None:
            if not _may_hear(held):
                return
            of = self._streams[stream] = _OfStream(held, say)
            if held.session is not None:
                self._of_session[held.session.jti] = of
        self._look(of)

    def end(self, stream: object) -> None:
        """A stream is over."""
        of = self._streams.pop(stream, None)
        if of is None:
            return
        of.end()
        session = of.held.session
        if session is not None and self._of_session.get(session.jti) is of:
            del self._of_session[session.jti]

    def changed(self, jti: str) -> None:
        """A session subscribed, or unsubscribed, perhaps in another worker."""
        of = self._of_session.get(jti)
        if of is not None:
            self._look(of)

    def doubt(self) -> None:
        """Letters may have been missed."""
        for of in self._of_session.values():
            self._look(of, within=AGAIN_S)

    def forget_installation(self, identifier: str) -> None:
        """An installation changed: what is listened to through it ends, and is begun again as it is now."""
        self.shared.forget_installation(identifier)
        for of in self._streams.values():
            if of.lets_go(lambda hold: hold.installation_id == identifier):
                self._look(of)

    def doubt_policies(self) -> None:
        """News of installations may have been missed: what is listened to at servers that are held to a policy is
        begun again, as is allowed now.
        """
        for identifier in self.shared.held_to_policies():
            self.forget_installation(identifier)

    def __len__(self) -> int:
        """Resources that streams of this worker hear of."""
        return sum(len(of.holds) for of in self._streams.values())

    def _look(self, of: "_OfStream", within: float = 0.0) -> None:
        if of.task is not None:
            of.task.cancel()
        of.task = task = self._tasks.spawn("subscriptions of a stream", self._follow(of, within))
        task.add_done_callback(of.looked)

    async def _follow(self, of: "_OfStream", within: float) -> None:
        """Hold what the stream's caller is subscribed to, and nothing else; begin `within` so many seconds."""
        if within:
            await asyncio.sleep(between(0, within))
        held, subscribed = of.held, await self._subscribed(of)
        while subscribed is None:
            await asyncio.sleep(between(0.5, 1.0) * AGAIN_S)
            subscribed = await self._subscribed(of)
        gateway = held.gateway
        wanted = {one: offer for one in subscribed if gateway and (offer := offer_of(gateway, one)) is not None}
        of.keep_only(wanted)
        jti = held.session.jti if held.session is not None else None
        for one, offer in wanted.items():
            if one not in of.holds and gateway is not None:
                try:
                    hold = await self._hold(held.caller, gateway, jti, one, offer, partial(of.tell, one, offer))
                except (Refusal, SourceUnreachable):
                    continue  # whoever cannot call the server now does not hear it either
                of.holds[one] = hold

    async def _subscribed(self, of: "_OfStream") -> "list[Subscribed] | None":
        session, subscription = of.held.session, of.held.subscription
        if subscription is not None:
            return list(subscription.resources)
        if session is None or not _may_hear(of.held):
            return []
        return await self._stored.all(session.jti)

    async def _hold(
        self, caller: Caller, gateway: CompiledGateway, jti: str | None, one: Subscribed, offer: Offer, tell: Tell
    ) -> Hold:
        key = self._installations.key(gateway.id, offer.assignment_id, whose(offer.route, caller))
        question = InstallationQuestion.of(caller.proof, gateway.id, offer.assignment_id)

        async def resolve() -> ResolvedInstallation:
            known = self._installations.known(key, question)
            return (known or await self._installations.resolve(key, question)).carrying(caller.proof)

        installation = await resolve()
        shared_by = UpstreamSessions.key(installation, caller.key, jti)
        return self.shared.hold(shared_by, installation, one.own, caller.key, resolve, tell)


class _OfStream:
    """What one stream hears of, and the task, if one runs, that finds out what that is to be (`_follow`)."""

    __slots__ = ("_say", "held", "holds", "task")

    def __init__(self, held: CallersStream, say: Callable[[bytes], None]) -> None:
        self.held, self._say = held, say
        self.holds: dict[Subscribed, Hold] = {}
        self.task: asyncio.Task[None] | None = None

    def tell(self, one: Subscribed, offer: Offer, uri: str) -> None:
        """Tell the caller that a resource has changed, by the URI that the caller knows."""
        told = one.exposed if uri == one.own else uri if one.exposed == one.own else with_name(offer, uri)
        params: dict[str, object] = {"uri": told}
        if self.held.subscription is not None:
            params["_meta"] = {META_SUBSCRIPTION: self.held.subscription.id}
        self._say(encode_event(orjson.dumps({"jsonrpc": "2.0", "method": RESOURCE_UPDATED, "params": params})))

    def looked(self, task: "asyncio.Task[None]") -> None:
        """A look is over: nothing of it is kept."""
        if self.task is task:
            self.task = None

    def keep_only(self, wanted: "dict[Subscribed, Offer]") -> None:
        """Let go what is not wanted any more."""
        for one in [one for one in self.holds if one not in wanted]:
            self.holds.pop(one).release()

    def lets_go(self, of: Callable[[Hold], bool]) -> bool:
        """Let go those holds; whether there were any."""
        found = [one for one, hold in self.holds.items() if of(hold)]
        for one in found:
            self.holds.pop(one).release()
        return bool(found)

    def end(self) -> None:
        """The stream is over."""
        if self.task is not None:
            self.task.cancel()
        self.keep_only({})


def _may_hear(held: CallersStream) -> bool:
    """Whether there is anything on the gateway that this stream's caller could be, or come to be, subscribed to."""
    if held.subscription is not None:
        return bool(held.subscription.resources)
    return held.session is not None and held.gateway is not None and bool(held.gateway.offers("resources"))


def offer_of(gateway: CompiledGateway, one: Subscribed) -> Offer | None:
    """By which the resource is on the gateway; None where it is there no more."""
    return next((offer for offer in gateway.offers("resources") if offer.assignment_id == one.assignment_id), None)
