"""The grant of identity assertions (ID-JAG, RFC 7523 section 2.1): a gateway's provider vouches for a person.

Called by `control/oauth/token.py`. A company's people need no second sign-in: the client brings what their provider
gave it, and gets an access token for one gateway, without a refresh token, since it can bring another assertion. All
is one transaction with the provider as its actor: that the assertion was used, who the person is, what its claims
give them, and the grant. So of two replicas that get one assertion at the same moment the second waits, and then
refuses it. An assertion that is refused is not used up.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from control.changes import oauth_grants as changes
from control.changes.identities import acting_for
from control.changes.oauth_grants import NewGrant
from control.changes.write import Write, changing
from control.http.answering import REQUEST_ID
from control.http.client_address import client_address
from control.identity.claims import person_of
from control.identity.id_jag import Assertion
from control.identity.matching import Unmatched, recognised
from control.oauth.as_client import refused_by
from control.oauth.assertions import PARAMETER, held, no_good
from control.oauth.errors import OAuthRefused
from control.oauth.issue import Issued, issued
from control.oauth.named_gateway import gateway_of
from control.oauth.parameters import Parameters
from control.oauth.server import AuthorizationServer
from control.registry.gateway import Gateway, visibility_of
from control.registry.identity_provider import IdentityProvider
from control.registry.oauth_client import OAuthClient, may_call
from control.registry.oauth_grant import Grant
from control.registry.oauth_scopes import CALL
from control.registry.sign_in_cures import let_in
from control.store import identity_providers, oauth_clients, oauth_grants
from control.store.pool import StoreConflict, transaction
from core.jwt import LEEWAY_S
from core.resolve import Principal
from core.tokens import digest
from core.visibility import may_enter

_SPARE_S: Final = 5
"""How much longer than an assertion could be accepted it is remembered."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who may get in where, by whose word."""

    client: OAuthClient
    assertion: Assertion
    gateway: Gateway
    provider: IdentityProvider


async def exchange(
    server: AuthorizationServer, request: web.Request, client: OAuthClient, form: Parameters
) -> Issued:
    """An access token for an identity assertion; raises OAuthRefused."""
    if client.acts != "for_people":
        raise OAuthRefused("unauthorized_client", "This client acts by itself, and for no person.")
    wait_s = await server.limits.wait("assertion", client.id)
    if wait_s:
        raise OAuthRefused("slow_down", "This client asks for tokens too often.", wait_s=wait_s)
    assertion = await held(server, form.required(PARAMETER), client.client_id)
    scopes = _scopes(form.one("scope"), assertion.scopes)
    asked = await _asked(server, client, assertion, form)
    try:
        try:
            grant = await _granted(server, request, asked)
        except StoreConflict:  # the same person came for the first time, or their first grant was made, just then
            grant = await _granted(server, request, asked)
    except OAuthRefused as refused:
        refused.gateway = asked.gateway.slug
        raise
    return issued(server, grant, scopes)


def _scopes(asked: str, allowed: Collection[str] | None) -> tuple[str, ...]:
    """What is asked for and allowed by the assertion; one that names no scopes leaves them to us."""
    wanted = set(asked.split()) or {CALL}
    if CALL not in wanted or (allowed is not None and CALL not in allowed):
        raise no_good(
            f"The assertion does not allow the scope {CALL}, or the client asks for others alone.",
            f"Have the client ask the identity provider for the scope {CALL}, which must be allowed there.",
            asked=f"scope {' '.join(sorted(wanted))}",
        )
    return (CALL,)


async def _asked(server: AuthorizationServer, client: OAuthClient, assertion: Assertion, form: Parameters) -> _Asked:
    """The gateway that is meant, if it takes the assertions of this provider and lets this client in."""
    named = [*form.all("resource"), *([assertion.resource] if assertion.resource else [])]
    async with transaction(server.pool, readonly=True) as connection:
        found = [await gateway_of(connection, server, one) for one in named]
        gateway = found[0] if found else None
        if gateway is None or any(one is None or one.id != gateway.id for one in found):
            raise no_good(
                "The assertion is for no gateway of this server, or for another than the client asks for.",
                "Have the client ask the identity provider for the gateway's URL as `resource`, as its Connect page "
                "shows it.",
                asked=f"resource {', '.join(named) or 'none'}",
            )
        provider_id = gateway.identity_provider_id
        provider = await identity_providers.one(connection, provider_id) if provider_id is not None else None
    try:
        return _Asked(client, assertion, gateway, _vouching(gateway, provider, client, assertion))
    except OAuthRefused as refused:
        refused.gateway = gateway.slug
        raise


def _vouching(
    gateway: Gateway, provider: IdentityProvider | None, client: OAuthClient, assertion: Assertion
) -> IdentityProvider:
    """The provider, whose word counts at the gateway; raises OAuthRefused."""
    if not gateway.takes_assertions:
        raise no_good(
            f"The gateway {gateway.slug} takes no identity assertions.",
            f"Let it: archway gateways update {gateway.slug} --takes-assertions",
        )
    if provider is None or not provider.enabled or provider.issuer != assertion.issuer:
        raise no_good(
            f"The gateway {gateway.slug} takes assertions of another identity provider, or that is switched off.",
            f"Name the provider at the gateway: archway gateways update {gateway.slug} --identity-provider PROVIDER",
            asked=f"issuer {assertion.issuer}",
        )
    if not may_call(client.client_id, gateway.allowed_clients):
        raise no_good(
            f"The gateway {gateway.slug} lets in only the clients that it names, and this is none of them.",
            let_in(gateway.slug, client.client_id),
            asked=f"client_id {client.client_id}; the gateway names {', '.join(gateway.allowed_clients)}",
        )
    return provider


async def _granted(server: AuthorizationServer, request: web.Request, asked: _Asked) -> Grant:
    actor = replace(acting_for(asked.provider), address=client_address(request), request_id=request[REQUEST_ID])
    async with changing(server.pool, actor) as write:
        await _use_up(write, asked.assertion)
        identity_id, principal = await _person(write, asked)
        if not may_enter(principal, visibility_of(asked.gateway)):
            raise no_good(
                f"The person does not see the gateway {asked.gateway.slug}.",
                "Put them into a team that sees it, here or by the identity provider's claim of teams.",
                asked=_subject(asked),
            )
        wanted = NewGrant(
            client_pk=asked.client.id,
            user_id=principal.id,
            gateway_id=asked.gateway.id,
            scopes=(CALL,),
            identity_id=identity_id,
        )
        grant = await changes.allow_by_assertion(write, wanted, principal.id)
        if refused := refused_by(grant):  # something of it was changed just then
            raise no_good(refused.sentence, refused.cure)
        await oauth_clients.note_use(write.connection, asked.client.id)
    return grant


async def _use_up(write: Write, assertion: Assertion) -> None:
    """Each assertion counts once, for all replicas: the second who brings it waits for the first, and is refused."""
    until = datetime.fromtimestamp(assertion.expires + LEEWAY_S + _SPARE_S, UTC)
    named = digest(f"{assertion.issuer}\n{assertion.name}")
    if not await oauth_grants.use_assertion(write.connection, named, until):
        raise no_good(
            "The assertion was used before.",
            "Have the client get another assertion from the identity provider for each token. If it does, somebody "
            "else may have a copy of it.",
        )


async def _person(write: Write, asked: _Asked) -> tuple[str, Principal]:
    """As whom the provider knows the person, and who that is here; raises OAuthRefused.

    An assertion does not say all that the provider knows: a claim of teams or roles that it lacks takes nothing away.
    """
    person = person_of(asked.provider, asked.assertion.claims, complete=False)
    try:
        identity, standing = await recognised(write, asked.provider, person)
    except Unmatched as nobody:
        raise no_good(f"The person is nobody here ({nobody.why}).", str(nobody), asked=_subject(asked)) from None
    if standing.disabled:
        cure = f"Let the person in again: archway users enable {identity.user_id}"
        raise no_good("The person was shut out.", cure, asked=_subject(asked))
    account = asked.assertion.account.removeprefix("user:")
    if account and account != identity.user_id:
        raise no_good(
            "The assertion means another account here (`aud_sub`) than the one that its subject is known by.",
            "Have the identity provider leave `aud_sub` out, or send the user's identifier of Archway.",
            asked=f"aud_sub {account}",
        )
    return identity.id, Principal("user", identity.user_id, standing.name, frozenset(standing.teams))


def _subject(asked: _Asked) -> str:
    return f"subject {asked.assertion.claims['sub']} of {asked.assertion.issuer}"
