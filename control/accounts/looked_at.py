"""What was found of an entry's provider, for an admin: in words of the admin API, and what keeps people from it.

Called by the admin API and the entry's page. Nothing is registered, and nothing is sent to a host that waits for an
approval.
"""

from typing import Any, Final

from msgspec.structs import replace

from control.accounts.upstream_providers import FoundProvider, UpstreamProviders
from control.credentials.upstream_oauth.authorization_server import AuthorizationServer
from control.credentials.upstream_oauth.authorize import wanted_scopes
from control.credentials.upstream_oauth.registration import OurClient, how_to_register
from control.credentials.upstream_oauth.unfit import AskTheAdmin, CannotSignIn, NotApproved
from control.providers.asking import ProviderAway
from control.registry.credential import ENDPOINTS, OAuthCredential
from control.registry.entry import Entry
from control.registry.self_hosted import SelfHosted
from control.registry.server_url import whole_url

_SAME: Final = ("issuer", *ENDPOINTS)
"""Fields that are called as what was found."""
_NOT_WHOLE: Final = (
    "the URL of its server has places that each installation fills, so the provider is looked for when somebody "
    "installs it"
)


async def looked_at(providers: UpstreamProviders, entry: Entry, settings: OAuthCredential) -> dict[str, Any]:
    """The fields of `ProviderFound`."""
    ours = providers.ours_at(entry)
    told: dict[str, Any] = {
        "callback_url": ours.redirect_uri,
        "document_url": ours.document_url,
        "problem": "",
        "hosts_to_approve": [],
        "registrations": ["own"],
        "scopes": [],
        "resource": "",
        "warnings": [],
        **dict.fromkeys(_SAME, ""),
    }
    url = "" if isinstance(entry.reached, SelfHosted) else whole_url(entry)
    if url is None:
        return told | {"problem": _NOT_WHOLE}
    try:
        try:
            found = await providers.found(url, settings)
        except NotApproved as waiting:
            told |= {"problem": f"{waiting}", "hosts_to_approve": list(waiting.hosts)}
            hosts = (*settings.approved_hosts, *waiting.hosts)  # metadata is read from no other host for that
            found = await providers.found(url, replace(settings, approved_hosts=hosts))
        return told | _told(ours, found, settings, told["problem"])
    except (CannotSignIn, ProviderAway) as cannot:
        return told | {"problem": str(cannot)}


def _told(ours: OurClient, found: FoundProvider, settings: OAuthCredential, problem: str) -> dict[str, Any]:
    server = found.server
    try:
        how_to_register(server, settings, ours)
    except AskTheAdmin as ask:
        problem = problem or str(ask)
    return {
        **{name: getattr(server, name) for name in _SAME},
        "problem": problem,
        "registrations": _registrations(ours, server),
        "scopes": list(wanted_scopes(found.discovered, settings, found.challenge)),
        "resource": found.discovered.resource,
        "warnings": _warnings(server),
    }


def _registrations(ours: OurClient, server: AuthorizationServer) -> list[str]:
    found = ["own"]
    for how in ("document", "dynamic"):
        try:
            how_to_register(server, OAuthCredential(registration=how), ours)
        except AskTheAdmin:
            continue
        found.append(how)
    return found


def _warnings(server: AuthorizationServer) -> list[str]:
    told = []
    if server.is_assumed:
        told.append("Neither the server nor its origin says where people sign in: the usual addresses are taken.")
    elif not server.says_s256:
        told.append("The provider does not say that it takes PKCE; it is sent all the same.")
    if not server.revocation_endpoint:
        told.append("The provider has no address for revoking tokens: they end there by themselves.")
    return told
