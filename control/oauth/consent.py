"""The consent page: who asks, for what, and where the person will be sent; and what follows from their answer.

The request waits in the database for ten minutes, for the very browser session that it was asked in: whoever gets the
page's address by another way finds nothing there. Each answer is one form with the session's own token.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from control.changes.write import changing
from control.console.rendering import render
from control.http.csrf import check
from control.http.forms import read_form
from control.http.pages import DOOR_POLICY
from control.http.problems import Problem, not_found
from control.oauth.authorize import sent_back
from control.oauth.code import code_for
from control.oauth.errors import OAuthRefused
from control.oauth.named_gateway import not_let_in
from control.oauth.server import AuthorizationServer
from control.public.visitor import Visitor, signed_in
from control.registry.gateway import Gateway
from control.registry.oauth_client import OAuthClient, may_call
from control.registry.oauth_scopes import OFFLINE
from control.registry.redirects import is_registered, is_this_machine, redirect_host
from control.store import gateways, oauth_clients, oauth_requests
from control.store.oauth_requests import AskedConsent
from control.store.pool import Connection, transaction
from core.identifiers import is_id

_OVER = "This question is over: it was answered, or ten minutes have passed. Begin again in your client."


@dataclass(frozen=True, slots=True)
class _Question:
    asked: AskedConsent
    client: OAuthClient
    gateway: Gateway


class ConsentPage:
    """Shows what a client asks a person for, and takes their answer."""

    def __init__(self, server: AuthorizationServer) -> None:
        self._server = server

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The page."""
        visitor = signed_in(request)
        request_id = _request_id(request)
        async with transaction(self._server.pool, readonly=True) as connection:
            asked = await oauth_requests.kept(connection, request_id, visitor.session_id)
            question = await _question(connection, asked)
        page = render(request, "oauth/consent.html", **_shown(question, visitor))
        page.headers["Content-Security-Policy"] = DOOR_POLICY
        return page

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The person has decided: they are sent back to the client."""
        visitor = signed_in(request)
        await check(request, visitor)
        allowed = (await read_form(request)).get("decision") == "allow"
        request_id = _request_id(request)
        async with changing(self._server.pool, visitor.caller) as write:
            asked = await oauth_requests.take(write.connection, request_id, visitor.session_id)
            question = await _question(write.connection, asked)
            refused = _why_not(question) if allowed else OAuthRefused("access_denied", "The person did not agree.")
            code = "" if refused else await code_for(write, question.asked)
        await self._note(request, visitor, question, refused)
        back = question.asked.redirect_uri, question.asked.state, self._server.issuer
        if refused is not None:
            return sent_back.with_refusal(*back, refused, status=303)
        return sent_back.with_code(*back, code, status=303)

    async def _note(
        self, request: web.Request, visitor: Visitor, question: _Question, refused: OAuthRefused | None
    ) -> None:
        await self._server.traces.note(
            request,
            "authorised",
            client=question.client.name,
            gateway=question.gateway.slug,
            user_id=visitor.caller.user_id,
            refused=refused,
        )


def _request_id(request: web.Request) -> str:
    request_id = request.match_info["request_id"]
    if not is_id(request_id):
        raise not_found("page")
    return request_id


async def _question(connection: Connection, asked: AskedConsent | None) -> _Question:
    if asked is not None:
        client = await oauth_clients.one(connection, asked.client_id)
        gateway = await gateways.one(connection, asked.gateway_id)
        if client is not None and gateway is not None:
            return _Question(asked, client, gateway)
    raise Problem(404, _OVER)


def _why_not(question: _Question) -> OAuthRefused | None:
    """What may have changed while the page stood open."""
    client = question.client
    if client.disabled_at is not None or not is_registered(question.asked.redirect_uri, client.redirect_uris):
        return OAuthRefused("access_denied", "The client was shut out or has changed meanwhile.")
    if not may_call(client.client_id, question.gateway.allowed_clients):
        return not_let_in(client.client_id, question.gateway)
    return None


def _shown(question: _Question, visitor: Visitor) -> dict[str, Any]:
    asked, client = question.asked, question.client
    return {
        "client": client,
        "client_host": urlsplit(client.client_id).netloc if client.kind == "document" else "",
        "gateway": question.gateway,
        "redirect_host": redirect_host(asked.redirect_uri),
        "this_machine": is_this_machine(asked.redirect_uri),
        "offline": OFFLINE in asked.scopes or client.refreshes,
        "csrf_token": visitor.csrf,
        "person": visitor.caller.name,
    }
