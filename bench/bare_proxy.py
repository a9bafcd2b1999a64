"""The yardstick of the aiohttp lane: aiohttp's server and client passing bytes on, with no MCP and no check at all.

argv: PORT UPSTREAM_URL.
"""

import asyncio
import sys

import uvloop
from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web


async def main() -> None:
    """Serve until killed."""
    upstream = sys.argv[2]
    async with ClientSession(connector=TCPConnector(limit=0), cookie_jar=DummyCookieJar()) as session:

        async def passed_on(request: web.BaseRequest) -> web.StreamResponse:
            body = await request.read()
            headers = {"Content-Type": "application/json", "Authorization": "Bearer upstream"}
            async with session.post(upstream, data=body, headers=headers, allow_redirects=False) as response:
                answer = await response.read()
                return web.Response(status=response.status, body=answer, content_type="application/json")

        loop = asyncio.get_running_loop()
        server = await loop.create_server(web.Server(passed_on, access_log=None), "127.0.0.1", int(sys.argv[1]))
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
