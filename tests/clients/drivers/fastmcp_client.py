"""fastmcp's client, for a test that talks with it (`talking.py`). Arguments: URL TOKEN legacy|auto.

Run by `tests.clients.talkers`.
"""

import asyncio
import sys

from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from mcp.client import session
from talking import talk, texts


class Talks:
    def __init__(self):
        self.client, self.asked, self.news = None, [], []

    async def answers(self, message, _kind, _params, _context):
        self.asked.append(message)
        return {"name": "Ada"}

    async def hears(self, message):
        if not isinstance(message, Exception):
            self.news.append(message.method)

    async def protocol(self):
        return self.client.session.protocol_version

    async def tools(self):
        return [one.name for one in await self.client.list_tools()]

    async def resources(self):
        return [str(one.uri) for one in await self.client.list_resources()]

    async def templates(self):
        return [one.uri_template for one in await self.client.list_resource_templates()]

    async def prompts(self):
        return [one.name for one in await self.client.list_prompts()]

    async def call(self, tool, arguments):
        told = []

        async def progress(done, total, _message):
            told.append([done, total])

        self.asked.clear()
        result = await self.client.call_tool(tool, arguments, progress_handler=progress)
        return {"text": texts(result.content), "progress": told, "asked": list(self.asked)}

    async def read(self, uri):
        return texts(await self.client.read_resource(uri))

    async def get(self, prompt, arguments):
        return texts(one.content for one in (await self.client.get_prompt(prompt, arguments)).messages)

    async def complete(self, prompt, argument, value):
        from mcp_types import PromptReference

        about = PromptReference(name=prompt)
        return (await self.client.complete(about, {"name": argument, "value": value})).values

    async def listen(self):
        """A legacy session does it by itself."""

    async def heard(self):
        return self.news


async def main(url, token, mode):
    session.DISCOVER_TIMEOUT_SECONDS = 60.0  # then it would speak a legacy revision, however slow the machine is
    talks = Talks()
    transport = StreamableHttpTransport(url, auth=token)
    client = Client(transport, mode=mode, elicitation_handler=talks.answers, message_handler=talks.hears)
    async with client as talks.client:
        await talk({name: getattr(talks, name) for name in dir(talks) if not name.startswith("_")})


asyncio.run(main(*sys.argv[1:]))
