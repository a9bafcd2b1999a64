"""Programs of one's own: the Python and the TypeScript SDK, by each way of authenticating.

The programs are whole: `tests/clients/test_connect_programs.py` runs them. Addresses and secrets go
in as literals of the language, which JSON's strings are in both.
"""

import json
from typing import Final

from control.console.connecting.sdk_programs import PYTHON_SIGNED_IN, TYPESCRIPT_SIGNED_IN
from control.console.connecting.step import Step, Steps, Target

_PYTHON_FILE: Final = "tools.py · pip install mcp"
_TYPESCRIPT_FILE: Final = "tools.mjs · npm install @modelcontextprotocol/client"
_PYTHON: Final = """\
import asyncio{imports}

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

URL = {url}


async def main() -> None:
    headers = {{"Authorization": f"Bearer {{{token}}}"}}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(URL, http_client=http)) as client,
    ):
        for tool in (await client.list_tools()).tools:
            print(tool.name){call}


asyncio.run(main())
"""
_TYPESCRIPT: Final = """\
import {{ Client, StreamableHTTPClientTransport }} from "@modelcontextprotocol/client";

const transport = new StreamableHTTPClientTransport(new URL({url}), {{
  requestInit: {{ headers: {{ Authorization: `Bearer ${{{token}}}` }} }},
}});
const client = new Client({{ name: "my-program", version: "1" }}, {{ versionNegotiation: {{ mode: "auto" }} }});
await client.connect(transport);
for (const tool of (await client.listTools()).tools) console.log(tool.name);{call}
await client.close();
"""


def python_signed_in(to: Target) -> Steps:
    """The Python SDK, which opens a browser."""
    program = PYTHON_SIGNED_IN.format(url=json.dumps(to.url), call=_python_call(to, "mcp"))
    return (Step("Install the SDK, then run this. Your browser opens: sign in here.", program, _PYTHON_FILE),)


def typescript_signed_in(to: Target) -> Steps:
    """The TypeScript SDK, which prints where to sign in."""
    program = TYPESCRIPT_SIGNED_IN.format(url=json.dumps(to.url), call=_typescript_call(to))
    says = "Install the SDK, then run this. It prints an address: open it, and sign in here."
    return (Step(says, program, _TYPESCRIPT_FILE),)


def python_token(to: Target) -> Steps:
    """The Python SDK with a token from the environment."""
    return (
        _token(to),
        Step("Install the SDK, then run this:", _python(to, "ARCHWAY_TOKEN"), _PYTHON_FILE),
    )


def python_jwt(to: Target) -> Steps:
    """The Python SDK with a token of an identity provider."""
    return (_jwt(), Step("Install the SDK, then run this:", _python(to, "JWT"), _PYTHON_FILE))


def typescript_token(to: Target) -> Steps:
    """The TypeScript SDK with a token from the environment."""
    return (_token(to), Step("Install the SDK, then run this:", _typescript(to, "ARCHWAY_TOKEN"), _TYPESCRIPT_FILE))


def typescript_jwt(to: Target) -> Steps:
    """The TypeScript SDK with a token of an identity provider."""
    return (_jwt(), Step("Install the SDK, then run this:", _typescript(to, "JWT"), _TYPESCRIPT_FILE))


def _token(to: Target) -> Step:
    return Step("Give the program your token:", f"export ARCHWAY_TOKEN={to.secret}", "in a terminal")


def _jwt() -> Step:
    return Step("Give the program the token of your identity provider:", "export JWT=eyJ...", "in a terminal")


def _python(to: Target, variable: str) -> str:
    token, call = f"os.environ['{variable}']", _python_call(to, "client")
    return _PYTHON.format(imports="\nimport os", url=json.dumps(to.url), token=token, call=call)


def _typescript(to: Target, variable: str) -> str:
    token = f"process.env.{variable}"
    return _TYPESCRIPT.format(url=json.dumps(to.url), token=token, call=_typescript_call(to))


def _python_call(to: Target, client: str) -> str:
    """A further line of the program: the list of tools alone is no call."""
    if to.call is None:
        return ""
    asked = f"{json.dumps(to.call.tool)}, {dict(to.call.arguments)!r}"
    return f"\n        print((await {client}.call_tool({asked})).content)"


def _typescript_call(to: Target) -> str:
    if to.call is None:
        return ""
    asked = f"{{ name: {json.dumps(to.call.tool)}, arguments: {to.call.as_json} }}"
    return f"\nconsole.log((await client.callTool({asked})).content);"
