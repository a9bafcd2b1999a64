"""The routes of the authorization server, for the public listener. Old clients look for three of them at the root."""

from collections.abc import Iterable
from typing import Final

from aiohttp import web

from control.accounts.our_client import DOCUMENT
from control.http.answering import Handler
from control.oauth.authorize.endpoint import AuthorizeEndpoint
from control.oauth.client_document import ClientDocument
from control.oauth.consent import ConsentPage
from control.oauth.jwks import Jwks
from control.oauth.metadata import Metadata, paths
from control.oauth.programs import for_programs, preflight
from control.oauth.register import RegistrationEndpoint
from control.oauth.revoke import RevocationEndpoint
from control.oauth.server import AuthorizationServer
from control.oauth.token import TokenEndpoint
from control.public.deps import PublicDeps

AUTHORIZE: Final = ("/oauth/authorize", "/authorize")
TOKEN: Final = ("/oauth/token", "/token")
REGISTER: Final = ("/oauth/register", "/register")
"""The second of each is what clients of 2025-03-26 use where they find no metadata."""
REVOKE: Final = "/oauth/revoke"
JWKS: Final = "/oauth/jwks"
STATEMENT_JWKS: Final = "/oauth/statement-jwks"
"""The keys of what servers are told of callers: other keys at another place, so that none is taken for the other."""
CONSENT: Final = "/consent/{request_id}"


def routes(deps: PublicDeps) -> list[web.RouteDef]:
    """What `control/public_listener.py` serves of this folder."""
    server = AuthorizationServer.of(deps)
    authorize, consent = AuthorizeEndpoint(server), ConsentPage(server)
    found = [web.get(path, authorize.handle, allow_head=False) for path in AUTHORIZE]
    found += [web.get(CONSENT, consent.show, allow_head=False), web.post(CONSENT, consent.answer)]
    found += _for_programs("GET", paths(server.issuer), Metadata(server).handle)
    found += _for_programs("GET", [JWKS], Jwks(server.access_tokens.public_keys).handle)
    found += _for_programs("GET", [STATEMENT_JWKS], Jwks(deps.statement_keys).handle)
    found += _for_programs("GET", [f"{DOCUMENT}/{{entry:[a-z0-9-]{{1,63}}}}"], ClientDocument(server.issuer).handle)
    found += _for_programs("POST", TOKEN, TokenEndpoint(server).handle)
    found += _for_programs("POST", REGISTER, RegistrationEndpoint(server).handle)
    found += _for_programs("POST", [REVOKE], RevocationEndpoint(server).handle)
    return found


def _for_programs(method: str, at: Iterable[str], handler: Handler) -> list[web.RouteDef]:
    return [
        one for path in at for one in (web.route(method, path, for_programs(handler)), web.options(path, preflight))
    ]
