"""From a server's URL to its authorization server: what the server says of itself, and what that one says.

Called when an entry is tried, and when somebody signs in: with the settings of the entry, which win over whatever is
found, and with what the server's 401 or 403 asked for. Nothing is remembered here, and nothing is sent to a host that
nobody approved but the questions for metadata.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from control.credentials.upstream_oauth.authorization_server import (
    ADDRESSES,
    OAUTH,
    AuthorizationServer,
    assumed_server,
    check_issuer,
    foreign_hosts,
    metadata_urls,
    server_in,
    typed_server,
)
from control.credentials.upstream_oauth.challenge import Challenge
from control.credentials.upstream_oauth.metadata import metadata_at
from control.credentials.upstream_oauth.protected_resource import ProtectedResource, find_protected_resource
from control.credentials.upstream_oauth.unfit import Unfit
from control.providers.asking import Asker
from control.registry.credential import ENDPOINTS, OMIT, ClientCredentials, OAuthCredential
from control.registry.origin import origin_of


@dataclass(frozen=True, slots=True)
class Discovered:
    """Where tokens for a server come from, and what they are asked for."""

    server: AuthorizationServer
    resource: str
    """What is sent as `resource` (RFC 8707) with everything that asks for tokens; '' where it is not sent."""
    scopes_supported: tuple[str, ...] | None
    """What the server says that it has; None where it does not say."""


async def discover(
    asker: Asker, server_url: str, settings: OAuthCredential | ClientCredentials, challenge: Challenge | None = None
) -> Discovered:
    """The authorization server of a server. `challenge`: what it last refused with; None where it was not asked.
    `server_url` is '' of a server that we run: it is not asked, and the settings say all.

    Raises ProviderAway where something cannot be asked now, and CannotSignIn for what must not be used: Unfit, or
    NotApproved with the hosts that an admin has to look at.
    """
    needs_browser = isinstance(settings, OAuthCredential)
    described = None
    if server_url and not _says_all(settings):
        told = challenge.resource_metadata if challenge else ""
        described = await find_protected_resource(asker, server_url, told)
    server = await _server(asker, server_url, settings, described, needs_browser=needs_browser)
    server.refuse_unapproved(settings.approved_hosts)
    return Discovered(
        server, _resource(server_url, settings, described), described.scopes_supported if described else None
    )


def typed_endpoints(settings: OAuthCredential | ClientCredentials) -> dict[str, str]:
    """The endpoints that an admin gave in the entry, by name."""
    return {name: url for name in ENDPOINTS if (url := getattr(settings, name, ""))}


async def find_authorization_server(
    asker: Asker, issuer: str, typed: Mapping[str, str], *, needs_browser: bool = True, elsewhere: str = ""
) -> AuthorizationServer:
    """The server of this issuer; raises ProviderAway, and Unfit where it has no metadata or must not be used.

    `elsewhere`: where the server says that its issuer is, and an admin says otherwise. The metadata there is good too
    if it is of the admin's issuer: some providers publish it behind a path that their own name does not have.
    """
    check_issuer(issuer, asker.policy)
    urls = metadata_urls(issuer)
    if elsewhere and elsewhere != issuer:
        check_issuer(elsewhere, asker.policy)
        urls += metadata_urls(elsewhere)
    for url in urls:
        found = await metadata_at(asker, url)
        if found is not None:
            return server_in(found, issuer, asker.policy, typed, needs_browser=needs_browser)
    if _is_enough(typed, needs_browser=needs_browser):
        return typed_server(issuer, asker.policy, typed)
    raise Unfit(
        f"{issuer} has no metadata (RFC 8414 or OpenID); give its `authorization_endpoint` and `token_endpoint`"
    )


async def find_legacy_server(
    asker: Asker, server_url: str, typed: Mapping[str, str], *, needs_browser: bool = True
) -> AuthorizationServer:
    """The authorization server of a server that does not describe itself, as 2025-03-26 has it: metadata at the
    server's own origin, else the usual paths there. Raises ProviderAway, Unfit.
    """
    origin = origin_of(server_url)
    check_issuer(origin, asker.policy)
    found = await metadata_at(asker, f"{origin}{OAUTH}")
    if found is None:
        return assumed_server(origin, asker.policy, typed)
    said = found.get("issuer")
    # Nobody named the issuer before: an origin with a slash at its end is the same origin.
    return server_in(
        found, f"{origin}/" if said == f"{origin}/" else origin, asker.policy, typed, needs_browser=needs_browser
    )


async def _server(
    asker: Asker,
    server_url: str,
    settings: OAuthCredential | ClientCredentials,
    described: ProtectedResource | None,
    *,
    needs_browser: bool,
) -> AuthorizationServer:
    typed = typed_endpoints(settings)
    issuer = settings.issuer or (described.authorization_servers[0] if described else "")
    if _is_enough(typed, needs_browser=needs_browser):
        return typed_server(issuer or origin_of(typed["token_endpoint"]), asker.policy, typed)
    if issuer:
        server = await find_authorization_server(
            asker,
            issuer,
            typed,
            needs_browser=needs_browser,
            elsewhere=described.authorization_servers[0] if described else "",
        )
    else:
        server = await find_legacy_server(asker, server_url, typed, needs_browser=needs_browser)
    return server if settings.issuer else _held_to_typed(server, typed)


def _held_to_typed(server: AuthorizationServer, typed: Mapping[str, str]) -> AuthorizationServer:
    """The server, where an admin typed its token endpoint and not its issuer.

    What is at that endpoint's origin is its own then, and what the issuer names, of whom only the server told, is
    foreign. Else a server could name an issuer that gets the secrets which are meant for the typed place alone.
    """
    if "token_endpoint" not in typed:
        return server
    endpoints = {name: getattr(server, name) for name in ADDRESSES}
    return replace(server, foreign_hosts=foreign_hosts(typed["token_endpoint"], endpoints, typed))


def _says_all(settings: OAuthCredential | ClientCredentials) -> bool:
    """Whether the entry says so much of its provider that the server need not be asked."""
    has_server = settings.issuer or _is_enough(
        typed_endpoints(settings), needs_browser=isinstance(settings, OAuthCredential)
    )
    return bool(has_server and settings.resource and settings.scopes)


def _is_enough(typed: Mapping[str, str], *, needs_browser: bool) -> bool:
    return bool(typed.get("token_endpoint") and (typed.get("authorization_endpoint") or not needs_browser))


def _resource(
    server_url: str, settings: OAuthCredential | ClientCredentials, described: ProtectedResource | None
) -> str:
    if settings.resource == OMIT:
        return ""
    return settings.resource or (described.resource if described else server_url)
