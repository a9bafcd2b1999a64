"""Explain: what would become of a call, for an administrator who asks why, and for anybody about themselves.

Called by the admin API and by the console. Control finds out who that would be (`who_calls.py`) and which
installation would serve (`serving.py`); a proxy runs its stages dry (`core/explain.py`), once to the tool, and once
more with the installation. Nothing is written here, and nobody is asked but our own proxy. Leaves out who may ask
(`asking.py`).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from msgspec.structs import replace

from control.credentials.calling import Calling
from control.explain.causes import Cause, cause_of
from control.explain.dry_usable import Opening
from control.explain.serving import Serving, serving
from control.explain.subject import Subject
from control.explain.who_calls import WhoCalls, who_calls
from control.proxies import Proxies
from control.registry.gateway import Gateway, visibility_of
from control.registry.owner import owner_columns
from control.store import gateways, identity_providers, names_by_id
from control.store.gateway_names import by_any_name
from control.store.pool import Connection, Pool, transaction
from control.store.resolution import Wanted, resolution_rows
from core.explain import PATH, Explained, ExplainQuestion
from core.identifiers import SLUG, is_id
from core.resolve import TokenProof
from core.visibility import may_enter

DEADLINE_S: Final = 10.0
"""For each of the two questions to a proxy."""


@dataclass(frozen=True, slots=True)
class AskedCall:
    """The call that is asked about."""

    gateway: str
    """Its slug or identifier."""
    tool: str
    subject: Subject
    arguments: str = "{}"
    """A JSON object."""
    client: str = ""
    """The OAuth client with which a person would come; '' for whichever."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would become of the call: what everybody is told who may ask, and what else is known."""

    call: AskedCall
    explained: Explained
    who: WhoCalls
    gateway: Gateway | None
    """None where there is none, or where the asker may not know of it."""
    serving: Serving | None
    """None where no stage came so far."""
    owner: str
    """Of the installation, by name; '' for none, and for the organisation."""
    cause: Cause
    """For those who may ask about others."""


class Explaining:
    """Says what would become of calls."""

    def __init__(self, pool: Pool, proxies: Proxies, opening: Opening, pages_url: str) -> None:
        self._pool, self._proxies, self._opening, self._pages_url = pool, proxies, opening, pages_url

    async def explain(self, call: AskedCall, *, everything: bool) -> Explanation:
        """What would become of it. `everything`: whether the asker may know of gateways that the caller does not see.

        Raises ProxyAway, BrokenRule for a subject that is nobody, and StoreUnavailable.
        """
        async with transaction(self._pool, readonly=True) as connection:
            name = call.gateway
            gateway = await by_any_name(connection, name) if SLUG.fullmatch(name) or is_id(name) else None
            who = await who_calls(connection, call.subject, None)
            if gateway is not None and not everything and not may_enter(who.principal, visibility_of(gateway)):
                gateway = None  # from here on it is as if there were none
            if gateway is not None:  # its clients are its own matter: looked at by nobody who does not see it
                who = await who_calls(connection, call.subject, gateway, call.client)
        question = ExplainQuestion(gateway.id if gateway is not None else "", who.verdict, call.tool, call.arguments)
        explained, found = await in_rounds(self._ask, question, partial(self._serving, who, gateway))
        async with transaction(self._pool, readonly=True) as connection:
            cause = await self._cause(connection, call, explained, who, gateway, found) if everything else Cause()
            owner = await _owner(connection, found)
        return Explanation(call, explained, who, gateway, found, owner, cause)

    async def _ask(self, question: ExplainQuestion) -> Explained:
        return await self._proxies.ask(PATH, question, Explained, deadline=DEADLINE_S, again="ask again")

    async def _serving(self, who: WhoCalls, gateway: Gateway | None, assignment_id: str) -> Serving:
        assert gateway is not None  # its tool was found
        wanted = Wanted(gateway.id, assignment_id, who.principal)
        async with transaction(self._pool, readonly=True) as connection:
            (rows,) = await resolution_rows(connection, [wanted])
        return await serving(calling_as(who, gateway), rows, self._opening, self._pages_url)

    async def _cause(
        self,
        connection: Connection,
        call: AskedCall,
        explained: Explained,
        who: WhoCalls,
        gateway: Gateway | None,
        found: Serving | None,
    ) -> Cause:
        if not explained.reason:
            return Cause()
        teams: dict[str, str] = {}
        tools: list[str] = []
        provider = None
        if gateway is not None:
            if gateway.identity_provider_id is not None:
                provider = await identity_providers.one(connection, gateway.identity_provider_id)
            teams = await names_by_id.teams(connection, gateway.teams)
            tools = [
                one.exposed_name for one in (await gateways.assigned_tools(connection, [gateway.id]))[gateway.id]
            ]
        return cause_of(
            explained, who, gateway, found, provider=provider, teams=teams, tools=tools, asked=call.tool
        )  # fmt: skip


async def in_rounds(
    ask: Callable[[ExplainQuestion], Awaitable[Explained]],
    question: ExplainQuestion,
    serve: Callable[[str], Awaitable[Serving]],
) -> tuple[Explained, Serving | None]:
    """What the stages say: of the call, and once they have named the tool, with the installation that `serve` finds
    for its assignment.
    """
    explained = await ask(question)
    if not explained.asks_for_installation:
        return explained, None
    found = await serve(explained.assignment_id)
    return await ask(replace(question, answer=found.answer, unsettled=found.unsettled)), found


def calling_as(who: WhoCalls, gateway: Gateway) -> Calling:
    """Who calls, as far as a credential depends on it. Nothing is proved: nobody outside is shown it."""
    audience = gateway.identity_provider_audience if who.verdict.auth == "jwt" else ""
    return Calling(who.principal, who.kind, TokenProof(""), gateway.id, audience=audience)


async def _owner(connection: Connection, found: Serving | None) -> str:
    """Whose the installation is, by name."""
    if found is None or found.installation is None:
        return ""
    owner = owner_columns(found.installation.owner)
    named: dict[str, str] = {}
    if owner.user_id is not None:
        named = await names_by_id.people(connection, [owner.user_id])
    elif owner.team_id is not None:
        named = await names_by_id.teams(connection, [owner.team_id])
    elif owner.oauth_client_id is not None:
        named = await names_by_id.clients(connection, [owner.oauth_client_id])
    return next(iter(named.values()), "")
