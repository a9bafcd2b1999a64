"""Whom a subject means here, and what control would say of their credential if they came: read, and never noted.

Called by `explaining.py`. Each credential is judged by the code that judges real ones
(`control/registry/token_validity.py`, `control/registry/oauth_grant.py`); where none was named, one that is good is
supposed, and `later` says what that leaves open.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal, assert_never

from control.credentials.whose import CallerKind, caller_kind
from control.explain.of_provider import admitted, no_rule_for, takes_tokens, way_not_taken
from control.explain.subject import Subject
from control.registry.broken_rule import BrokenRule
from control.registry.external_principal import principal_of_external
from control.registry.gateway import Gateway
from control.registry.identity_provider import IdentityProvider
from control.registry.oauth_client import OAuthClient, principal_of
from control.registry.oauth_grant import LIFE, Grant, refusal_of
from control.registry.owner import Person
from control.registry.token import Token, principal_of_token
from control.registry.token_validity import refusal_of as refusal_of_token
from control.registry.user import User
from control.store import (
    external_principals,
    identity_providers,
    names_by_id,
    oauth_clients,
    oauth_grants,
    teams,
    tokens,
    users,
)
from control.store.pool import Connection
from core.identifiers import is_id
from core.resolve import AuthKind, CallerVerdict, Principal, Way

_AUTH: Final[dict[Way, AuthKind]] = {"token": "token", "oauth": "oauth", "id_jag": "oauth", "jwt": "jwt"}
_LATER: Final[dict[Way, str]] = {
    "token": "Whether their token is for gateways, and neither revoked nor expired.",
    "oauth": "Whether what they allowed their client still holds, and its access token is good.",
    "id_jag": "Whether the assertion is good, and the client may bring it.",
    "jwt": "Whether the provider vouches for the token, for whom, and for which audience.",
}


@dataclass(frozen=True, slots=True)
class WhoCalls:
    """Who would call, by control's own judgement."""

    verdict: CallerVerdict
    principal: Principal
    """Who that is, though the verdict may be that they are not let in."""
    kind: CallerKind
    later: str = ""
    """What of the credential is known only at the call; '' where the very credential was looked at."""
    cause: str = ""
    """Why the verdict or the gateway lets nobody in, for whoever looks after it; '' where that is not known here."""
    cure: str = ""
    enters: str = ""
    """What of the credential decides whether they enter the gateway; '' where that is known."""


async def who_calls(connection: Connection, subject: Subject, gateway: Gateway | None, client: str = "") -> WhoCalls:
    """Who that would be; raises BrokenRule of `subject` for nobody, and of `client`: the OAuth client that a person
    would come with, by its client ID or its name; '' for whichever.
    """
    if client and (subject.kind, subject.by) != ("user", "oauth"):
        raise BrokenRule("client", "is the OAuth client with which a person signs in; it goes with `by` oauth alone")
    match subject.kind:
        case "user":
            return await _person(connection, subject, gateway, client)
        case "team":
            return await _team(connection, subject)
        case "organisation":
            return _supposed(Principal("organisation", "organisation", "the organisation"), subject.by)
        case "service":
            return await _service(connection, subject, gateway)
        case "external":
            return await _without_account(connection, subject, gateway)
        case "token":
            return await _token(connection, subject)
    assert_never(subject.kind)


async def _team(connection: Connection, subject: Subject) -> WhoCalls:
    found = await teams.one(connection, subject.name) if is_id(subject.name) else None
    named = [found] if found else await teams.page(connection, limit=2, after=None, member=None, name=subject.name)
    if len(named) != 1:
        raise BrokenRule("subject", "names no team; give its name or its id")
    return _supposed(Principal("team", named[0].id, named[0].name, frozenset({named[0].id})), subject.by)


async def _person(connection: Connection, subject: Subject, gateway: Gateway | None, client: str) -> WhoCalls:
    found = await users.one(connection, subject.name) if is_id(subject.name) else None
    named = [found] if found else await users.page(connection, limit=2, after=None, email=subject.name)
    if len(named) != 1:
        raise BrokenRule("subject", "names no person; give their e-mail address or their id")
    person = named[0]
    member_of = frozenset(one.id for one in await teams.of_user(connection, person.id))
    principal = Principal("user", person.id, person.name, member_of)
    if person.disabled_at is not None:
        return _kept_out(
            principal, subject.by, "disabled", f"{person.name} is shut out.",
            f"Let them in again with `archway users enable {person.email}`.",
        )  # fmt: skip
    if subject.by == "id_jag" and gateway is not None:
        cause, cure = way_not_taken(gateway, await _named_by(connection, gateway), "id_jag")
        if cause:  # their client gets no access token to come with
            return _kept_out(principal, "id_jag", "unknown", cause, cure)
    if subject.by != "oauth" or gateway is None:
        return _supposed(principal, subject.by)
    if client:
        used = await _client(connection, "client", client)
        if used is None:
            raise BrokenRule("client", "names no OAuth client; give its client ID or its name")
        return await _by_client(connection, principal, used, gateway, person)
    open_to = f"Whether it is one of the clients that the gateway lets in: {', '.join(gateway.allowed_clients[:5])}."
    return _supposed(principal, "oauth", open_to if gateway.allowed_clients else "")


async def _without_account(connection: Connection, subject: Subject, gateway: Gateway | None) -> WhoCalls:
    found = await external_principals.one(connection, subject.name) if is_id(subject.name) else None
    if found is None:
        raise BrokenRule(
            "subject",
            "names nobody; give the id of somebody who has called without an account, see "
            "`archway external-principals list`",
        )
    principal = principal_of_external(found, ())
    if found.disabled_at is not None:
        cure = f"Let them in again with `archway external-principals enable {found.id}`."
        return _kept_out(principal, "jwt", "disabled", f"{principal.name} is shut out.", cure)
    provider = await _taken_from(connection, gateway)
    if gateway is None or provider is None:
        return _supposed(principal, "jwt", "In which teams they are, the token says.")
    let_in = admitted(gateway, provider, found, await names_by_id.teams(connection, gateway.teams))
    if not let_in.known:
        return _kept_out(principal, "jwt", "unknown", let_in.cause, let_in.cure)
    who = _supposed(principal_of_external(found, let_in.teams), "jwt")
    return replace(who, enters=let_in.enters, cause=let_in.cause, cure=let_in.cure)


async def _taken_from(connection: Connection, gateway: Gateway | None) -> IdentityProvider | None:
    """The provider whose own tokens the gateway takes now."""
    provider = await _named_by(connection, gateway) if gateway is not None else None
    return provider if gateway is not None and takes_tokens(gateway, provider) else None


async def _named_by(connection: Connection, gateway: Gateway) -> IdentityProvider | None:
    named = gateway.identity_provider_id
    return None if named is None else await identity_providers.one(connection, named)


async def _client(connection: Connection, field: str, text: str) -> OAuthClient | None:
    """The OAuth client of this client ID, row or name; raises BrokenRule of the field where several have the name."""
    found = await oauth_clients.named(connection, text)
    if found is None and is_id(text):
        found = await oauth_clients.one(connection, text)
    if found is not None:
        return found
    called = await oauth_clients.page(connection, limit=2, after=None, name=text)
    if len(called) > 1:
        raise BrokenRule(field, "is the name of several OAuth clients; give its client ID")
    return called[0] if called else None


async def _service(connection: Connection, subject: Subject, gateway: Gateway | None) -> WhoCalls:
    client = await _client(connection, "subject", subject.name)
    if client is None or client.acts != "by_itself":
        raise BrokenRule("subject", "names no OAuth client that acts by itself; give its client ID or its name")
    principal = principal_of(client.id, client.name, client.team_id)
    if gateway is not None and subject.by == "oauth":
        return await _by_client(connection, principal, client, gateway, None)
    if client.disabled_at is not None:
        return _shut_out(principal, subject.by, client)
    provider = await _taken_from(connection, gateway)
    cause, cure = no_rule_for(provider, client) if provider is not None else ("", "")
    if cause:
        return _kept_out(principal, subject.by, "unknown", cause, cure)
    if gateway is not None and gateway.allowed_clients and client.id not in gateway.allowed_clients:
        cause, cure = _another_client(gateway, client)
    return replace(_supposed(principal, subject.by), cause=cause, cure=cure)


async def _by_client(
    connection: Connection, principal: Principal, client: OAuthClient, gateway: Gateway, person: User | None
) -> WhoCalls:
    """Somebody who comes with an access token of this client, judged as their grant would be."""
    refusal = refusal_of(_as_if_granted(client, gateway, person))
    if refusal == "client_gone":
        return _shut_out(principal, "oauth", client)
    if refusal == "client_not_allowed":
        return _kept_out(principal, "oauth", "revoked", *_another_client(gateway, client))
    if person is None:
        return _supposed(principal, "oauth")
    held = await oauth_grants.page(
        connection, limit=1, after=None, everything=True, of_user="",
        user_id=person.id, client_id=client.id, gateway_id=gateway.id,
    )  # fmt: skip
    asks = "" if held else "They have not allowed this client to call: it asks them first."
    return _supposed(principal, "oauth", asks)


def _another_client(gateway: Gateway, client: OAuthClient) -> tuple[str, str]:
    """The cause and the cure where the gateway names its clients, and not this one."""
    cure = f"Let it in with `archway gateways update {gateway.slug} --add-client {client.client_id}`."
    return f"The gateway lets in other OAuth clients than {client.name}.", cure


def _as_if_granted(client: OAuthClient, gateway: Gateway, person: User | None) -> Grant:
    """What the person would have allowed the client, or the client would have by itself."""
    now = datetime.now(UTC)
    return Grant(
        id="",
        client_pk=client.id,
        client_id=client.client_id,
        client_name=client.name,
        client_disabled_at=client.disabled_at,
        user_id=person.id if person is not None else None,
        user_name=person.name if person is not None else "",
        user_disabled_at=person.disabled_at if person is not None else None,
        gateway_id=gateway.id,
        gateway_slug=gateway.slug,
        allowed_clients=gateway.allowed_clients,
        scopes=(),
        redirect_host="",
        created_at=now,
        redeemed_at=now,
        last_used_at=now,
        expires_at=now + LIFE,
        expired=False,
        revoked_at=None,
        revoked_for="",
    )


async def _token(connection: Connection, subject: Subject) -> WhoCalls:
    token = await tokens.one(connection, subject.name) if is_id(subject.name) else None
    if token is None:
        raise BrokenRule("subject", "names no token; give its id, which `archway tokens list` shows")
    principal = await _bearer(connection, token)
    refusal = refusal_of_token(token)
    if refusal:
        why = {"revoked": "was revoked", "expired": "has expired", "disabled": "is of a person who is shut out"}
        cause = f"The token {token.name!r} {why[refusal]}."
        return _kept_out(principal, "token", refusal, cause, "Make another one with `archway tokens create`.")
    if token.use != "gateways":
        told = CallerVerdict("", kept_out=principal)
        cause = f"The token {token.name!r} is for the admin API."
        return WhoCalls(told, principal, _kind(principal, "token"), "", cause, "Make one for gateways.")
    return WhoCalls(CallerVerdict("", principal), principal, _kind(principal, "token"))


async def _bearer(connection: Connection, token: Token) -> Principal:
    of_person = await teams.of_user(connection, token.owner.id) if isinstance(token.owner, Person) else []
    return principal_of_token(token, [one.id for one in of_person])


def _kind(principal: Principal, by: Way) -> CallerKind:
    return caller_kind(principal, _AUTH[by], by_assertion=by == "id_jag")


def _supposed(principal: Principal, by: Way, later: str = "") -> WhoCalls:
    """Somebody with a credential of that kind that is good."""
    verdict = CallerVerdict("", principal, auth=_AUTH[by], by_assertion=by == "id_jag")
    return WhoCalls(verdict, principal, _kind(principal, by), " ".join(filter(None, (_LATER[by], later))))


def _shut_out(principal: Principal, by: Way, client: OAuthClient) -> WhoCalls:
    cure = f"Let it in again with `archway oauth-clients enable {client.client_id}`."
    return _kept_out(principal, by, "revoked", f"The OAuth client {client.name} is shut out.", cure)


def _kept_out(
    principal: Principal,
    by: Way,
    refusal: Literal["unknown", "revoked", "expired", "disabled"],
    cause: str,
    cure: str,
) -> WhoCalls:
    verdict = CallerVerdict("", refusal=refusal, auth=_AUTH[by], by_assertion=by == "id_jag")
    return WhoCalls(verdict, principal, _kind(principal, by), "", cause, cure)
