"""`Write`: a transaction, who makes changes in it, and what each change must leave behind.

    async with changing(pool, actor) as write:
        await teams.delete(write, team_id)

Opened by operations of the admin API, discovery, and `first_admin.py` at a first start. Every change here takes a
`Write` first, gives it to the SQL of `control/store/writes/`, and then says two things: `announce`, what proxies must
hear, and `record`, the line of the audit trail. A transaction that ends without one of them is not committed.

Only the last change is watched where one `Write` holds several: the record or announcement of a later one clears what
an earlier one left out. So each change is tested by itself (`tests/unit/control/changes/test_every_change.py`).
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Final, TypeVar

from control.changes.refusals import NotAllowed
from control.registry import actions
from control.registry.access import Caller
from control.registry.moments import in_utc
from control.registry.owner import Owner
from control.registry.token_validity import refusal_of
from control.store import browser_sessions, outbox, tokens, users
from control.store.audit import Action, ObjectKind
from control.store.pool import Connection, Pool, transaction
from control.store.writes import audit
from control.store.writing import Writing
from core.changes import Kind

_Row = TypeVar("_Row")
_REVOKED: Final = "The token that you came with was revoked or has expired meanwhile; take another."
_SIGNED_OUT: Final = "You signed out or were shut out meanwhile; sign in again."


class Unfinished(Exception):
    """A change wrote rows and left no audit record, or did not say what proxies must hear: a bug of ours."""


class Write(Writing):
    """One transaction of one actor, in which any number of changes are made."""

    __slots__ = ("actor",)

    def __init__(self, connection: Connection, actor: Caller) -> None:
        super().__init__(connection)
        self.actor = actor

    def refuse_without(self, action: actions.Action) -> None:
        """Raise NotAllowed for an actor who did not hold it, for everything, when the request came."""
        if not self.actor.may(action):
            raise NotAllowed(actions.lacking(action))

    async def holder(self, action: actions.Action, owner: Owner, why: str = "") -> Caller:
        """The actor with what they hold now; raises NotAllowed without `action`. One without a user is this process.
        `why`: a sentence on what it is asked for.

        Asked before access is given or taken: a request that is slow to come gives nothing that its sender lost
        meanwhile, with a role, a team, their token or their session.
        """
        now = await self._standing() if self.actor.user_id else self.actor
        if now is None:
            raise NotAllowed(_SIGNED_OUT if self.actor.session_id else _REVOKED)
        if not now.may_for(action, owner):
            raise NotAllowed(f"{why} {actions.lacking(action)}".lstrip())
        return now

    async def _standing(self) -> Caller | None:
        actor = self.actor
        if actor.token_id:
            token = await tokens.one(self.connection, actor.token_id)
            if token is None or refusal_of(token):
                return None
        if actor.session_id and not await browser_sessions.holds(self.connection, actor.session_id):
            return None
        return await users.caller(self.connection, actor.user_id, actor.token_id)

    async def announce(
        self,
        *,
        tokens: Iterable[str] = (),
        installations: Iterable[str] = (),
        installations_over: Iterable[str] = (),
        users: Iterable[str] = (),
        teams: Iterable[str] = (),
        entries: Iterable[str] = (),
        providers: Iterable[str] = (),
        grants: Iterable[str] = (),
        clients: Iterable[str] = (),
        sessions: Iterable[str] = (),
        externals: Iterable[str] = (),
        gateways_gone: Iterable[str] = (),
        gateways: Iterable[str] = (),
    ) -> None:
        """Tell proxies what is no longer true: digests of tokens, issuers of providers, clients as their tokens name
        them, sessions of clients as records name them, and identifiers of the rest; `installations_over` are gone, or
        have another server or credential, so that sessions with the old one are over. Called without any, it says
        that proxies hold nothing of what was written. Gateways come last, all at once, since that locks them.
        """
        told: tuple[tuple[Kind, Iterable[str]], ...] = (
            ("token", tokens), ("installation", installations), ("user", users), ("team", teams), ("entry", entries),
            ("provider", providers), ("grant", grants), ("client", clients),
            ("session", sessions), ("external", externals),
        )  # fmt: skip
        for name in installations_over:
            await outbox.announce(self.connection, "installation", name, -1)
        for kind, names in told:
            for name in names:
                await outbox.announce(self.connection, kind, name)
        await outbox.gateways_gone(self.connection, gateways_gone)
        await outbox.touch_gateways(self.connection, gateways)
        self.unannounced = False

    async def record(
        self,
        action: Action,
        kind: ObjectKind,
        object_id: str,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a line of the audit trail: the object as people saw it before, and as they see it now."""
        await audit.record(self.connection, self.actor, action, kind, object_id, _as_json(before), _as_json(after))
        self.unrecorded = False

    def observed(self) -> None:
        """What was written is what a machine saw, not what somebody decided: the audit trail says nothing of it."""
        self.unrecorded = False

    def refuse_unfinished(self) -> None:
        """Raise Unfinished where something was written and not recorded, or not announced."""
        if self.unrecorded:
            raise Unfinished("rows were written and no audit record; call record after the last statement")
        if self.unannounced:
            raise Unfinished("rows were written and nothing was announced; call announce, if only to say: nothing")


@asynccontextmanager
async def changing(pool: Pool, actor: Caller) -> AsyncIterator[Write]:
    """One transaction for changes of this actor; committed at the end of the block if each is finished.

    Raises as `transaction`, and Unfinished, after which nothing is written.
    """
    async with transaction(pool) as connection:
        write = Write(connection, actor)
        yield write
        write.refuse_unfinished()


class _Rehearsed(Exception):  # nothing is wrong: it ends a transaction
    """Ends the transaction of a rehearsal, so that nothing of it is kept."""


@asynccontextmanager
async def rehearsing(pool: Pool, actor: Caller) -> AsyncIterator[Write]:
    """As `changing`, but nothing of it is kept or told: so that what would be refused later is refused now."""
    with suppress(_Rehearsed):
        async with changing(pool, actor) as write:
            yield write
            raise _Rehearsed


def there(row: _Row | None) -> _Row:
    """The row that was read; only for one that this transaction has written or locked, which cannot be gone."""
    assert row is not None
    return row


def _as_json(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    return {name: in_utc(value) if isinstance(value, datetime) else value for name, value in given.items()}
