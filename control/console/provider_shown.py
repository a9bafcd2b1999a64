"""What an install page says of the provider before somebody is sent there, or why nobody can be.

Called by the install page. The provider is asked each time: what it says may have changed since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from control.accounts.sign_ins import SignIns, word_for
from control.accounts.upstream_providers import UpstreamProviders
from control.credentials.upstream_oauth.registration import how_to_register
from control.credentials.upstream_oauth.unfit import CannotSignIn, NotApproved
from control.providers.asking import ProviderAway
from control.registry.account import Account
from control.registry.broken_rule import BrokenRule
from control.registry.credential import OAuthCredential
from control.registry.entry import Entry
from control.registry.self_hosted import SelfHosted
from control.registry.server_url import whole_url


@dataclass(frozen=True, slots=True)
class ShownProvider:
    """The provider of an entry, for the person who is to sign in there."""

    server: str = ""
    """The URL of the server, to which its tokens will go; '' where it is not known."""
    host: str = ""
    """Where the browser is sent; '' where it cannot be."""
    issuer: str = ""
    scopes: tuple[str, ...] = ()
    """What is asked for; () leaves it to the provider."""
    problem: str = ""
    """Why nobody can sign in there now, for an admin; '' where one can."""
    hosts: tuple[str, ...] = ()
    """Hosts that an admin has to approve first."""
    is_away: bool = False
    """Whether trying again may help."""
    seen: str = ""
    """All of this in one word, for the form; '' while it is not known where the server is."""


async def provider_shown(
    sign_ins: SignIns, entry: Entry, answers: Mapping[str, Any] | None, account: Account | None
) -> ShownProvider:
    """What is so now. `answers`: of the installation; None while they are still to come: nothing is known then of a
    server whose URL depends on them.
    """
    providers: UpstreamProviders = sign_ins.providers
    settings = entry.credential
    if not isinstance(settings, OAuthCredential):
        return ShownProvider()
    try:
        if answers is None and whole_url(entry) is None and not isinstance(entry.reached, SelfHosted):
            return ShownProvider(host="its provider")
        url = providers.url_for(entry, answers or {})
        found = await providers.found(url, settings)
        how_to_register(found.server, settings, providers.ours_at(entry))
    except NotApproved as waiting:
        return ShownProvider(problem=str(waiting), hosts=waiting.hosts)
    except (CannotSignIn, BrokenRule) as cannot:
        return ShownProvider(problem=str(cannot))
    except ProviderAway as away:
        return ShownProvider(problem=str(away), is_away=True)
    scopes = sign_ins.scopes_for(found, settings, account)
    return ShownProvider(
        server=url,
        host=urlsplit(found.server.authorization_endpoint).netloc,  # whole: its end says whose it is
        issuer=found.server.issuer,
        scopes=scopes,
        seen=word_for(url, found.server, scopes),
    )
