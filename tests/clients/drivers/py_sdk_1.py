"""The Python SDK's first major version, for a test that talks with it (`talking.py`). Arguments: URL TOKEN.

Run by `tests.clients.talkers` with .tools/py-sdk-1/bin/python.
"""

import asyncio
import sys

import httpx
from mcp import ClientSession, types
from mcp.client.streamable_http import streamable_http_client
from talking import all_pages, talk, texts


class Talks:
    def __init__(self):
        self.session, self.version, self.asked, self.news = None, "", [], []

    async def answers(self, _context, params):
        self.asked.append(params.message)
        return types.ElicitResult(action="accept", content={"name": "Ada"})

    async def hears(self, message):
        if isinstance(message, types.ServerNotification):
            self.news.append(message.root.method)

    async def protocol(self):
        return self.version

    async def tools(self):
        return await all_pages(self.session.list_tools, "tools", "name")

    async def resources(self):
        return await all_pages(self.session.list_resources, "resources", "uri")

    async def templates(self):
        return await all_pages(self.session.list_resource_templates, "resourceTemplates", "uriTemplate")

    async def prompts(self):
        return await all_pages(self.session.list_prompts, "prompts", "name")

    async def call(self, tool, arguments):
        told = []

        async def progress(done, total, _message):
            told.append([done, total])

        self.asked.clear()
        result = await self.session.call_tool(tool, arguments, progress_callback=progress)
        return {"text": texts(result.content), "progress": told, "asked": list(self.asked)}

    async def read(self, uri):
        return texts((await self.session.read_resource(uri)).contents)

    async def get(self, prompt, arguments):
        return texts(one.content for one in (await self.session.get_prompt(prompt, arguments)).messages)

    async def complete(self, prompt, argument, value):
        about = types.PromptReference(type="ref/prompt", name=prompt)
        return (await self.session.complete(about, {"name": argument, "value": value})).completion.values

    async def listen(self):
        """It listens by itself."""

    async def heard(self):
        return self.news


async def main(url, token):
    talks = Talks()
    async with (
        httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30) as http,
        streamable_http_client(url, http_client=http) as (read, write, _),
        ClientSession(read, write, elicitation_callback=talks.answers, message_handler=talks.hears) as session,
    ):
        talks.session, talks.version = session, (await session.initialize()).protocolVersion
        await talk({name: getattr(talks, name) for name in dir(talks) if not name.startswith("_")})


asyncio.run(main(*sys.argv[1:]))
