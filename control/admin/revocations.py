"""`/revocations`: end somebody's access, and be told how many workers of proxies have applied it.

Each does what the object's own operation does (`control/changes/`), then waits a bounded time for the workers. A
token, a grant and a session are over for good; a client, a user, somebody without an
account and a provider are shut out until they are enabled.
"""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import StringConstraints

from control.admin.api import Asked, Operations
from control.admin.revocation_models import Ended, Revocation, RevocationQuery, SilentWorker
from control.changes import (
    client_sessions,
    external_principals,
    identity_providers,
    oauth_clients,
    oauth_grants,
    people,
    tokens,
    users,
)
from control.changes.write import Write
from control.http.models import Id
from control.publish.acknowledgements import Acknowledged
from control.registry.counted import counted
from control.registry.partial import provider_with
from control.store import publication

operations = Operations("revocations")
_NO_PROXY_HOLDS_IT: Final = "Over from its next request on: no proxy holds a browser session."
ClientSession = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


@operations.post("/revocations/tokens/{token_id}", status=200)
async def end_token(asked: Asked, token_id: Id, query: RevocationQuery) -> Revocation:
    """Revoke a token."""
    async with asked.changing() as write:
        await tokens.revoke(write, token_id)
        upto = await _newest(write)
    return await _told(asked, query, "token", token_id, upto)


@operations.post("/revocations/clients/{oauth_client_id}", status=200)
async def end_client(asked: Asked, oauth_client_id: Id, query: RevocationQuery) -> Revocation:
    """Shut an OAuth client out, until it is enabled; what it was allowed stays."""
    async with asked.changing() as write:
        await oauth_clients.set_disabled(write, oauth_client_id, disabled=True)
        upto = await _newest(write)
    return await _told(asked, query, "client", oauth_client_id, upto)


@operations.post("/revocations/grants/{grant_id}", status=200)
async def end_grant(asked: Asked, grant_id: Id, query: RevocationQuery) -> Revocation:
    """Take back what a person allowed an OAuth client at a gateway."""
    async with asked.changing() as write:
        await oauth_grants.revoke(write, grant_id)
        upto = await _newest(write)
    return await _told(asked, query, "grant", grant_id, upto)


@operations.post("/revocations/sessions/{session_id}", status=200)
async def end_session(asked: Asked, session_id: Id, query: RevocationQuery) -> Revocation:  # noqa: ARG001 # as all
    """End a browser session. No proxy holds one, so nobody is waited for: control asks for it at each request."""
    async with asked.changing() as write:
        await people.end_session(write, session_id)
    return _view("session", session_id, Acknowledged(announced=True), _NO_PROXY_HOLDS_IT)


@operations.post("/revocations/client-sessions/{client_session}", status=200)
async def end_client_session(asked: Asked, client_session: ClientSession, query: RevocationQuery) -> Revocation:
    """End the session of an MCP client, as records of calls name it, with its calls and its stream."""
    async with asked.changing() as write:
        await client_sessions.end(write, client_session)
        upto = await _newest(write)
    return await _told(asked, query, "client_session", client_session, upto)


@operations.post("/revocations/providers/{provider_id}", status=200)
async def end_provider(asked: Asked, provider_id: Id, query: RevocationQuery) -> Revocation:
    """Switch an identity provider off: its tokens are refused, and nobody signs in with it, until it is enabled."""
    async with asked.changing() as write:
        await identity_providers.change(
            write, provider_id, lambda now: provider_with(now, {"enabled": False}), None, asked.deps.safeguards
        )
        upto = await _newest(write)
    return await _told(asked, query, "provider", provider_id, upto)


@operations.post("/revocations/users/{user_id}", status=200)
async def end_user(asked: Asked, user_id: Id, query: RevocationQuery) -> Revocation:
    """Shut a user out with all that they have, until they are enabled; their browser sessions end for good."""
    async with asked.changing() as write:
        await users.disable(write, user_id)
        upto = await _newest(write)
    return await _told(asked, query, "user", user_id, upto)


@operations.post("/revocations/external-principals/{external_principal_id}", status=200)
async def end_external_principal(asked: Asked, external_principal_id: Id, query: RevocationQuery) -> Revocation:
    """Shut somebody without an account out, until they are enabled."""
    async with asked.changing() as write:
        await external_principals.set_disabled(write, external_principal_id, disabled=True)
        upto = await _newest(write)
    return await _told(asked, query, "external_principal", external_principal_id, upto)


async def _newest(write: Write) -> int:
    return await publication.newest_change(write.connection)


async def _told(asked: Asked, query: RevocationQuery, kind: Ended, name: str, upto: int) -> Revocation:
    found = await asked.deps.acknowledged(upto, query.wait)
    return _view(kind, name, found, summary_of(found, query.wait))


def _view(kind: Ended, name: str, found: Acknowledged, summary: str) -> Revocation:
    silent = [
        SilentWorker(
            worker=one.worker, host=one.host, process=one.process, heard_at=datetime.fromtimestamp(one.at, UTC)
        )
        for one in found.silent
    ]
    return Revocation(
        kind=kind, id=name, announced=found.announced, applied=found.applied, silent=silent, summary=summary
    )


def summary_of(found: Acknowledged, wait_s: float) -> str:
    """What became of a revocation, for a person."""
    if not found.announced:
        return (
            f"Nobody could be told within {wait_s:g} s: Redis is away, or nothing is published. It holds; proxies "
            "ask again by themselves within ARCHWAY_SOFT_AGE, 60 s unless set otherwise, and are told once Redis is "
            "back."
        )
    workers = found.applied + len(found.silent)
    if not workers:
        return "It is announced, and no worker of a proxy has spoken within the last minute."
    if not found.silent:
        return f"Applied by all workers of proxies that run: {workers}."
    names = ", ".join(f"process {one.process} on {one.host}" for one in found.silent[:5])
    more = f" and {len(found.silent) - 5} more" if len(found.silent) > 5 else ""
    return (
        f"Applied by {found.applied} of {counted(workers, 'worker')} within {wait_s:g} s. "
        f"No word from {names}{more}: one that has ended is forgotten within a minute, and one that runs asks again "
        "within its soft age."
    )
