"""The text of programs that sign their person in: longer than the others, since a browser must find back to them.

Filled in by `sdks.py`. They keep what they were given while they run; one that is used again would keep it in a file.
"""

from typing import Final

PYTHON_SIGNED_IN: Final = """\
import asyncio
import webbrowser
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

URL = {url}


class Kept:
    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


async def main() -> None:
    came_back = asyncio.get_running_loop().create_future()

    async def answer(reader, writer):
        path = urlsplit((await reader.readline()).split()[1].decode())
        if path.path == "/callback" and not came_back.done():
            came_back.set_result({{name: values[0] for name, values in parse_qs(path.query).items()}})
        writer.write(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\nSigned in. You may close this window.")
        await writer.drain()
        writer.close()

    async def open_browser(url):
        print("Sign in at", url)
        webbrowser.open(url)

    async def code():
        given = await came_back
        return AuthorizationCodeResult(code=given["code"], state=given.get("state"), iss=given.get("iss"))

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    back = f"http://127.0.0.1:{{server.sockets[0].getsockname()[1]}}/callback"
    client = OAuthClientMetadata(client_name="My program", redirect_uris=[back], token_endpoint_auth_method="none")
    async with (
        httpx2.AsyncClient(auth=OAuthClientProvider(URL, client, Kept(), open_browser, code)) as http,
        Client(streamable_http_client(URL, http_client=http)) as mcp,
    ):
        for tool in (await mcp.list_tools()).tools:
            print(tool.name){call}
    server.close()


asyncio.run(main())
"""
TYPESCRIPT_SIGNED_IN: Final = """\
import {{ createServer }} from "node:http";
import {{ Client, StreamableHTTPClientTransport, UnauthorizedError }} from "@modelcontextprotocol/client";

const url = new URL({url});
let cameBack;
const code = new Promise((resolve) => {{ cameBack = resolve; }});
const server = createServer((request, response) => {{
  const asked = new URL(request.url, "http://127.0.0.1");
  response.end("Signed in. You may close this window.");
  if (asked.pathname === "/callback") cameBack(asked.searchParams);
}});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const redirectUrl = `http://127.0.0.1:${{server.address().port}}/callback`;

const kept = {{}};
const authProvider = {{
  redirectUrl,
  clientMetadata: {{
    client_name: "My program",
    redirect_uris: [redirectUrl],
    grant_types: ["authorization_code", "refresh_token"],
    token_endpoint_auth_method: "none",
  }},
  clientInformation: () => kept.client,
  saveClientInformation: (client) => {{ kept.client = client; }},
  tokens: () => kept.tokens,
  saveTokens: (tokens) => {{ kept.tokens = tokens; }},
  codeVerifier: () => kept.verifier,
  saveCodeVerifier: (verifier) => {{ kept.verifier = verifier; }},
  redirectToAuthorization: (address) => console.log("Sign in at", address.href),
}};

const client = new Client({{ name: "my-program", version: "1" }}, {{ versionNegotiation: {{ mode: "auto" }} }});
const transport = new StreamableHTTPClientTransport(url, {{ authProvider }});
try {{
  await client.connect(transport);
}} catch (error) {{
  if (!(error instanceof UnauthorizedError)) throw error;
  await transport.finishAuth(await code);
  await client.connect(new StreamableHTTPClientTransport(url, {{ authProvider }}));
}}
for (const tool of (await client.listTools()).tools) console.log(tool.name);{call}
await client.close();
server.close();
"""
