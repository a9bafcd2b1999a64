"""The second leg of an assertion: the server's own authorization server takes it for a token (RFC 7523, ID-JAG).

Called by `one_exchange.py`. Its metadata is asked of the issuer that the entry names, to the letter, and of nobody
else; an endpoint at another host gets nothing before an admin has approved that. Metadata is kept for minutes.
"""

from typing import Final

from control.credentials.upstream_oauth.authorization_server import AuthorizationServer, typed_server
from control.credentials.upstream_oauth.client import TokenPlace, place_at
from control.credentials.upstream_oauth.discovery import find_authorization_server
from control.credentials.upstream_oauth.registration import own_client
from control.exchanges.at_provider import JWT_BEARER
from control.exchanges.memory import Memory
from control.providers.asking import Asker
from control.registry.account import client_place
from control.registry.credential import IdentityAssertion
from control.registry.entry import Entry, bound_origin
from control.registry.row_seals import RowSeals
from core.client_keys import ClientKey

MOST_SERVERS: Final = 200
METADATA_S: Final = 600.0
"""How long what an authorization server says of itself is believed without asking again."""


class AtServer:
    """Finds authorization servers of servers; it needs who asks, and what opens our clients' secrets."""

    def __init__(self, asker: Asker, seals: RowSeals) -> None:
        self._asker, self._seals = asker, seals
        self._known: Memory[AuthorizationServer] = Memory(MOST_SERVERS)

    async def place(self, entry: Entry, credential: IdentityAssertion, now: float) -> TokenPlace:
        """Where the assertion is taken to, and as which client. Raises ProviderAway, CannotSignIn for one that must
        not be used, SealBroken, KeyRefused.
        """
        server = await self._server(credential, now)
        server.refuse_unapproved(credential.approved_hosts)
        place = client_place(credential, bound_origin(entry.reached))
        secret = self._seals.open_entry_client_secret(entry.id, place, entry.client_secret)
        key = ClientKey.from_pem(secret) if credential.client_authentication == "private_key_jwt" else None
        return place_at(server, own_client(server, credential, "" if key else secret), key)

    async def _server(self, credential: IdentityAssertion, now: float) -> AuthorizationServer:
        issuer, policy = credential.issuer, self._asker.policy
        if credential.token_endpoint:
            return typed_server(issuer, policy, {"token_endpoint": credential.token_endpoint})
        known = self._known.get(issuer, now)
        if known is None:
            known = await find_authorization_server(self._asker, issuer, {}, needs_browser=False)
            self._known.put(issuer, known, now + METADATA_S)
        return known


def assertion_form(credential: IdentityAssertion, resource: str, assertion: str) -> dict[str, str]:
    """What the server's authorization server is asked. Fields that are '' are not sent."""
    scopes = {"same": credential.scopes, "omit": (), "named": credential.server_scopes}[credential.scopes_at_server]
    return {"grant_type": JWT_BEARER, "assertion": assertion, "scope": " ".join(scopes), "resource": resource}
