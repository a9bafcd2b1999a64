"""The Python SDK's second major version, for a test that talks with it (`talking.py`).

Arguments: URL TOKEN legacy|auto. Run by `tests.clients.talkers`.
"""

import asyncio
import sys
from contextlib import AsyncExitStack

import httpx2
import mcp_types as types
from mcp import Client
from mcp.client import session
from mcp.client.streamable_http import streamable_http_client
from talking import all_pages, talk, texts


class Talks:
    def __init__(self, stack):
        self.stack, self.client, self.asked, self.news = stack, None, [], []

    async def answers(self, _context, params):
        self.asked.append(params.message)
        return types.ElicitResult(action="accept", content={"name": "Ada"})

    async def hears(self, message):
        if not isinstance(message, Exception):
            self.news.append(message.method)

    async def protocol(self):
        return self.client.protocol_version

    async def tools(self):
        return await all_pages(lambda cursor: self.client.list_tools(cursor=cursor), "tools", "name")

    async def resources(self):
        return await all_pages(lambda cursor: self.client.list_resources(cursor=cursor), "resources", "uri")

    async def templates(self):
        def page(cursor):
            return self.client.list_resource_templates(cursor=cursor)

        return await all_pages(page, "resource_templates", "uri_template")

    async def prompts(self):
        return await all_pages(lambda cursor: self.client.list_prompts(cursor=cursor), "prompts", "name")

    async def call(self, tool, arguments):
        told = []

        async def progress(done, total, _message):
            told.append([done, total])

        self.asked.clear()
        result = await self.client.call_tool(tool, arguments, progress_callback=progress)
        return {"text": texts(result.content), "progress": told, "asked": list(self.asked)}

    async def read(self, uri):
        return texts((await self.client.read_resource(uri)).contents)

    async def get(self, prompt, arguments):
        return texts(one.content for one in (await self.client.get_prompt(prompt, arguments)).messages)

    async def complete(self, prompt, argument, value):
        about = types.PromptReference(name=prompt)
        return (await self.client.complete(about, {"name": argument, "value": value})).completion.values

    async def listen(self):
        """A legacy session does it by itself."""
        if self.client.protocol_version == "2026-07-28":
            listening = self.client.listen(tools_list_changed=True, prompts_list_changed=True)
            await self.stack.enter_async_context(listening)

    async def heard(self):
        return self.news


async def main(url, token, mode):
    session.DISCOVER_TIMEOUT_SECONDS = 60.0  # then it would speak a legacy revision, however slow the machine is
    async with AsyncExitStack() as stack:
        talks = Talks(stack)
        headers = {"Authorization": f"Bearer {token}"}
        http = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=30))
        client = Client(
            streamable_http_client(url, http_client=http),
            mode=mode,
            elicitation_callback=talks.answers,
            message_handler=talks.hears,
        )
        talks.client = await stack.enter_async_context(client)
        await talk({name: getattr(talks, name) for name in dir(talks) if not name.startswith("_")})


asyncio.run(main(*sys.argv[1:]))
