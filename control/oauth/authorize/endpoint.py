"""The authorize endpoint (RFC 6749 section 3.1): checks what a client asks for, then asks the person.

Called by `control/oauth/routes.py`. A person who agreed to the same before is not asked again, but where
anybody could have sent them: a request from another site, and a redirect to their own machine, always show the page.
"""

from aiohttp import web

from control.changes import oauth_clients
from control.changes.write import changing
from control.http.problems import Problem
from control.oauth.authorize import sent_back
from control.oauth.authorize.list import CHECKS
from control.oauth.authorize.may_send_back import may_send_back
from control.oauth.authorize.request import AuthorizeRequest
from control.oauth.code import code_for
from control.oauth.errors import NotSentBack, OAuthRefused
from control.oauth.named_gateway import named_in_notes
from control.oauth.parameters import of_query
from control.oauth.server import AuthorizationServer
from control.registry.redirects import is_this_machine, redirect_host
from control.store import oauth_requests
from control.store.oauth_requests import AskedConsent
from control.store.pool import StoreConflict, StoreUnavailable
from core.identifiers import new_id

_OWN_SITE = frozenset({"none", "same-origin", "same-site"})


class AuthorizeEndpoint:
    """Answers with the consent page's address, with a code, or with what is wrong."""

    def __init__(self, server: AuthorizationServer) -> None:
        self._server = server

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request; raises Problem for what is told to the person here, SignInFirst for a stranger."""
        try:
            asked = AuthorizeRequest(self._server, request, of_query(request))
        except OAuthRefused as refused:
            raise Problem(400, refused.sentence) from None
        try:
            for check in CHECKS:
                await check(asked)
            try:
                return await self._answer(asked)
            except StoreConflict:  # somebody else came with the same document for the first time, just then
                return await self._answer(asked)
        except OAuthRefused as refused:
            return await self._refuse(asked, refused)
        except StoreUnavailable:
            if not await may_send_back(asked):
                raise
            away = OAuthRefused("temporarily_unavailable", "The database cannot be reached; try again.")
            return sent_back.with_refusal(asked.redirect_uri, asked.state, self._server.issuer, away)

    async def _answer(self, asked: AuthorizeRequest) -> web.StreamResponse:
        person, client = asked.person, asked.named_client
        host = redirect_host(asked.redirect_uri)
        async with changing(self._server.pool, person.caller) as write:
            row = client.row
            if row is None or row.kind == "document":
                row = await oauth_clients.keep_document(write, client.client_id, client.fields)
            wanted = AskedConsent(
                session_id=person.session_id,
                user_id=person.caller.user_id,
                client_id=row.id,
                gateway_id=asked.named_gateway.id,
                redirect_uri=asked.redirect_uri,
                scopes=asked.scopes,
                state=asked.state,
                challenge=asked.challenge,
            )
            code, request_id = "", new_id()
            if _may_be_silent(asked) and await oauth_requests.is_agreed(write.connection, wanted, host):
                code = await code_for(write, wanted)
            elif "none" in asked.prompts:
                raise OAuthRefused("consent_required", "The person has to agree first.")
            else:
                await oauth_requests.keep(write.connection, request_id, wanted)
        if not code:
            return web.Response(status=302, headers={"Location": f"/consent/{request_id}"})
        await self._server.traces.note(
            asked.http,
            "authorised",
            client=client.fields.name,
            gateway=asked.named_gateway.slug,
            user_id=person.caller.user_id,
        )
        return sent_back.with_code(asked.redirect_uri, asked.state, self._server.issuer, code)

    async def _refuse(self, asked: AuthorizeRequest, refused: OAuthRefused) -> web.StreamResponse:
        await self._server.traces.note(
            asked.http,
            "authorised",
            client=asked.client.fields.name if asked.client is not None else asked.sent.one("client_id"),
            gateway=asked.gateway.slug if asked.gateway is not None else named_in_notes(self._server, asked.sent),
            user_id=asked.visitor.caller.user_id if asked.visitor is not None else None,
            refused=refused,
        )
        if isinstance(refused, NotSentBack) or not await may_send_back(asked):
            raise Problem(400, refused.sentence)
        return sent_back.with_refusal(asked.redirect_uri, asked.state, self._server.issuer, refused)


def _may_be_silent(asked: AuthorizeRequest) -> bool:
    """Whether the person's word of before may do: nobody else brought them, only the client gets the code."""
    site = asked.http.headers.get("Sec-Fetch-Site", "cross-site")
    prompts = asked.prompts - {"none"}
    is_website = asked.redirect_uri.startswith("https://") and not is_this_machine(asked.redirect_uri)
    return site in _OWN_SITE and not prompts and is_website
