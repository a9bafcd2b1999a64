"""The keys that issuers sign tokens with: control's signed documents, remembered.

`proxy/callers/signed_tokens.py` asks here, and only about issuers that a gateway's snapshot names, or ourselves. A
set of keys is kept as other answers of control are, in two ages, with sealed copies in Redis and on disk; wherever it
comes from, it is used only with control's signature, and never past its own end. A token that names a key which the
set lacks may have been signed since: control is asked again, once for all who wait and at most once in `COOL_DOWN_S`
for each issuer, whatever keys a flood of tokens makes up. Leaves out what a token must say (`core/jwt.py`).
"""

import logging
import time
from typing import Final

import msgspec

from core import redis_names
from core.key_sets import COOL_DOWN_S, SOFT_S, KeySet, KeySetBroken, KeySetQuestion, open_key_set
from core.keys import KeyRing
from core.signing import Verifier
from core.single_flight import SingleFlight
from core.tasks import Tasks
from proxy.caches.bounded import Bounded
from proxy.caches.layered import LayeredCache
from proxy.caches.two_ages import Aged, SourceUnreachable
from proxy.redis import Redis
from proxy.resolve.control_client import ControlClient

log = logging.getLogger(__name__)
_SIZE: Final = 1_000
"""Issuers; a deployment has some. Each set of keys is at most 256 KiB, and some KiB as a rule."""
_UNKNOWN_S: Final = 10.0


class IssuerUnknown(Exception):
    """Control knows no such issuer, or has none of its keys: none of its tokens proves anything now."""


class KeySetDocument(msgspec.Struct, frozen=True):
    """One issuer's keys as control signed them."""

    document: bytes


class KeySets:
    """The sets of keys that one worker holds, by issuer."""

    def __init__(
        self,
        control: ControlClient,
        redis: Redis,
        ring: KeyRing,
        verifier: Verifier,
        *,
        hard: float,
        tasks: Tasks,
    ) -> None:
        self._control, self._verifier = control, verifier
        self.questions = 0
        """To control."""
        self.held: LayeredCache[KeySetDocument] = LayeredCache(
            "keys",
            KeySetDocument,
            size=_SIZE,
            soft=min(SOFT_S, hard),
            hard=hard,
            ring=ring,
            redis=redis,
            redis_name=redis_names.key_set_key(""),
            tasks=tasks,
            patience=control.pulse.patience,
        )
        self._opened: Bounded[str, tuple[bytes, KeySet]] = Bounded(_SIZE)
        """What the documents say, each opened once."""
        self._unknown: Bounded[str, float] = Bounded(_SIZE)
        """Until when nobody asks about an issuer again that control did not know, as monotonic time."""
        self._newer = SingleFlight[None]("newer keys", tasks)
        self._cools: Bounded[str, float] = Bounded(_SIZE)
        """Until when no unknown key makes us ask again, by issuer, as monotonic time."""

    def young(self, issuer: str) -> KeySet | None:
        """The issuer's keys, if they are in memory and fresh. No waiting: the warm path."""
        found = self.held.fresh(issuer, lambda _: self._ask(KeySetQuestion(issuer)))
        try:
            return None if found is None else self._of(issuer, found)
        except SourceUnreachable:
            return None

    def holds(self, issuer: str) -> bool:
        """Whether keys of this issuer are here, of whatever age: then it is one that somebody here may trust."""
        return self.held.memory.holds(issuer)

    async def of(self, issuer: str) -> KeySet:
        """The issuer's keys, asked for if need be. Raises IssuerUnknown, and SourceUnreachable if nobody can tell."""
        until = self._unknown.peek(issuer)
        if until is not None and until > time.monotonic():
            raise IssuerUnknown
        found = await self.held.get(issuer, lambda _: self._ask(KeySetQuestion(issuer)))
        return self._of(issuer, found)

    async def newer(self, issuer: str, kid: str) -> KeySet | None:
        """The keys as control has them now, for a token whose key ours lack; None where it was asked just before."""
        if issuer not in self._newer:
            if (self._cools.peek(issuer) or 0.0) > time.monotonic():
                return None
            self._cools.put(issuer, time.monotonic() + COOL_DOWN_S)
        await self._newer.result(issuer, lambda: self._renew(KeySetQuestion(issuer, kid)))
        return self.young(issuer)

    async def forget(self, issuer: str) -> None:
        """Forget the keys of an issuer whose change was announced."""
        for memory in (self._opened, self._unknown, self._cools):
            memory.pop(issuer)
        await self.held.drop(issuer)

    def doubt(self) -> None:
        """News may have been missed: ask again before remembered keys are used."""
        self.held.memory.doubt_all()

    async def _renew(self, question: KeySetQuestion) -> None:
        drops = self.held.memory.drops
        try:
            aged = await self._ask(question)
        except (IssuerUnknown, SourceUnreachable):
            return  # what is held stays as good as it was
        if drops == self.held.memory.drops:
            await self.held.learn(question.issuer, aged)

    async def _ask(self, question: KeySetQuestion) -> Aged[KeySetDocument]:
        self.questions += 1
        asked = time.monotonic()
        document = (await self._control.key_set(question)).document
        if not document:
            self._unknown.put(question.issuer, time.monotonic() + _UNKNOWN_S)
            raise IssuerUnknown
        try:
            key_set = self._open(question.issuer, document)
        except KeySetBroken:
            raise SourceUnreachable from None
        return Aged(KeySetDocument(document), asked, key_set.good_until)

    def _of(self, issuer: str, found: KeySetDocument) -> KeySet:
        """What a document says; raises SourceUnreachable for one that control has not signed, or that is over."""
        known = self._opened.get(issuer)
        try:
            same = known is not None and known[0] == found.document
            key_set = known[1] if known is not None and same else self._open(issuer, found.document)
        except KeySetBroken:
            self.held.memory.drop(issuer)  # a copy that somebody else put there
            raise SourceUnreachable from None
        if key_set.good_until <= time.time():
            raise SourceUnreachable
        return key_set

    def _open(self, issuer: str, document: bytes) -> KeySet:
        try:
            key_set = open_key_set(document, issuer, self._verifier)
        except KeySetBroken as broken:
            log.error("a set of keys was rejected", extra={"issuer": issuer, "why": str(broken)})
            raise
        self._opened.put(issuer, (document, key_set))
        return key_set
