"""An MCP server that lets nobody in without a token of its provider, as hosted servers are.

    async with GuardedServer(provider) as server:         # `provider`: tests/fakes/identity_provider.py
        server.url                                        # its protected-resource metadata names the provider
        server.calls                                      # who called which tool, by the provider's name for them

It speaks the legacy era in plain JSON. `needs`: the scope without which a call is answered with 403; `scopes`: those
that it says it has.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.fakes.identity_provider import IdentityProvider

METADATA = "/.well-known/oauth-protected-resource/mcp"
SCOPES = ["openid", "email", "read"]


class GuardedServer:
    """The server, while its block lasts."""

    def __init__(self, provider: IdentityProvider, port: int = 0) -> None:
        self._provider, self._port = provider, port
        self.calls: list[tuple[str, str]] = []
        self.bearers: list[str] = []
        self.needs = ""
        self.scopes = list(SCOPES)
        self.url = ""

    async def __aenter__(self) -> GuardedServer:
        app = web.Application()
        app.add_routes([web.get(METADATA, self._metadata), web.route("*", "/mcp", self._mcp)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/mcp"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _metadata(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {"resource": self.url, "authorization_servers": [self._provider.issuer], "scopes_supported": self.scopes}
        )

    async def _mcp(self, request: web.Request) -> web.Response:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.bearers += [bearer] if bearer else []
        known = await self._provider.knows(bearer) if bearer else {"active": False}
        if not known["active"]:
            return self._challenge(401, "")
        if request.method != "POST":
            return web.Response(status=405)
        message = await request.json()
        if message["method"] == "tools/call" and self.needs and self.needs not in known["scope"].split():
            return self._challenge(403, f', error="insufficient_scope", scope="{self.needs}"')
        if "id" not in message:
            return web.Response(status=202)
        result = self._result(message, str(known["person"]))
        return web.json_response({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def _challenge(self, status: int, more: str) -> web.Response:
        where = self.url.removesuffix("/mcp") + METADATA
        return web.Response(status=status, headers={"WWW-Authenticate": f'Bearer resource_metadata="{where}"{more}'})

    def _result(self, message: dict[str, Any], person: str) -> dict[str, Any]:
        method = message["method"]
        if method == "initialize":
            return {
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "guarded", "version": "1"},
            }
        if method == "tools/list":
            return {"tools": [{"name": "whoami", "description": "Who calls.", "inputSchema": {"type": "object"}}]}
        if method == "tools/call":
            self.calls.append((person, message["params"]["name"]))
            return {"content": [{"type": "text", "text": f"called as {person}"}]}
        return {}
