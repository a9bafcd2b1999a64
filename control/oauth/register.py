"""Dynamic client registration (RFC 7591): whoever asks becomes a client, so it costs us little and ends by itself.

Registrations that say the same give one client, since some clients register twice for each attempt and all register
again on each machine. One with a secret is its own. What nobody used for a day is forgotten (`sweep.py`), and earlier
where there are too many of such. A client's pictures and pages are kept nowhere and never fetched.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

import msgspec
from aiohttp import web

from control.changes import oauth_clients as changes
from control.changes.write import changing
from control.http.answering import REQUEST_ID
from control.http.client_address import client_address
from control.oauth.clients.described import described, invalid_metadata
from control.oauth.errors import OAuthRefused
from control.oauth.programs import json_answer
from control.oauth.server import AuthorizationServer
from control.registry.access import Caller
from control.registry.oauth_client import SECRET_METHODS, ClientFields, OAuthClient
from control.store import oauth_clients
from control.store.pool import Connection, StoreConflict

MAX_BODY: Final = 64 << 10
MOST_UNUSED: Final = 5_000
"""Clients that registered and were never used; for one more the oldest of them are forgotten, but for young ones."""
YOUNG: Final = timedelta(hours=1)
"""Somebody may still be on their way through the sign-in page."""
_FORGOTTEN_AT_ONCE: Final = 50
_FULL_WAIT_S: Final = 600.0


class RegistrationEndpoint:
    """Registers clients, and answers what they are registered as."""

    def __init__(self, server: AuthorizationServer) -> None:
        self._server = server

    async def handle(self, request: web.Request) -> web.Response:
        """One registration; raises OAuthRefused."""
        name = ""
        try:
            await self._server.limits.check("register", client_address(request))
            metadata = await _metadata(request)
            wanted = described(metadata, unnamed="an unnamed client")
            name = wanted.name
            client, secret = await self._registered(request, wanted)
        except OAuthRefused as refused:
            await self._server.traces.note(request, "registered", client=name, refused=refused)
            raise
        await self._server.traces.note(request, "registered", client=client.name)
        return json_answer(_told(client, secret), 201)

    async def _registered(self, request: web.Request, wanted: ClientFields) -> tuple[OAuthClient, str]:
        content = None if wanted.auth_method in SECRET_METHODS else content_digest(wanted)
        actor = Caller("", wanted.name, "member", address=client_address(request), request_id=request[REQUEST_ID])
        for _ in range(2):
            try:
                async with changing(self._server.pool, actor) as write:
                    if content is None or await oauth_clients.registered_as(write.connection, content) is None:
                        await _make_room(write.connection)
                    return await changes.register(write, wanted, content)
            except StoreConflict:  # the same registration came twice at the same moment; the other one was first
                continue
        raise OAuthRefused("temporarily_unavailable", "Try again in a moment.", wait_s=1)


async def _make_room(connection: Connection) -> None:
    """Room for one more client: of too many, those go that nobody has used for longest, so that whoever registers
    without end shuts nobody out who signs in just now. Raises OAuthRefused where all of them are young.
    """
    if await oauth_clients.unused(connection) < MOST_UNUSED:
        return
    if not await oauth_clients.forget_unused(connection, YOUNG, _FORGOTTEN_AT_ONCE):
        raise OAuthRefused(
            "temporarily_unavailable",
            "Too many clients have registered and were never used; try again later.",
            wait_s=_FULL_WAIT_S,
        )


def content_digest(client: ClientFields) -> str:
    """By which a registration is known again: all that follows from it, the order of its redirects apart."""
    told = replace(client, redirect_uris=tuple(sorted(client.redirect_uris)))
    return sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()


async def _metadata(request: web.Request) -> Mapping[str, Any]:
    if request.content_type != "application/json":
        raise invalid_metadata("The body must be JSON: send Content-Type: application/json.")
    if (request.content_length or 0) > MAX_BODY:
        raise invalid_metadata(f"The body is larger than {MAX_BODY} bytes.")
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        body = b" " * (MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise invalid_metadata(f"The body is larger than {MAX_BODY} bytes.")
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise invalid_metadata("The body is not a JSON object.") from None


def _told(client: OAuthClient, secret: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "client_id": client.client_id,
        "client_id_issued_at": int(client.created_at.timestamp()),
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "grant_types": ["authorization_code", *(["refresh_token"] if client.refreshes else [])],
        "response_types": ["code"],
        "token_endpoint_auth_method": client.auth_method,
    }
    if secret:
        told |= {"client_secret": secret, "client_secret_expires_at": 0}
    if client.jwks:
        told["jwks"] = client.jwks
    if client.jwks_uri:
        told["jwks_uri"] = client.jwks_uri
    return told
