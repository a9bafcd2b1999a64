"""An identity provider of the bench: its metadata and its one key, on loopback. argv: PORT, the key as JSON.

Prints its port, as all servers of the bench do. Nobody signs in here; tokens are signed by `bench/credentials.py`.
"""

import asyncio
import json
import sys

from aiohttp import web


def app(jwk: dict[str, str]) -> web.Application:
    """What it serves."""

    async def metadata(request: web.Request) -> web.Response:
        issuer = f"http://{request.host}"
        endpoints = {f"{name}_endpoint": f"{issuer}/{name}" for name in ("authorization", "token")}
        return web.json_response({"issuer": issuer, "jwks_uri": f"{issuer}/keys", **endpoints})

    async def keys(_: web.Request) -> web.Response:
        return web.json_response({"keys": [jwk]})

    serving = web.Application()
    serving.router.add_get("/.well-known/openid-configuration", metadata)
    serving.router.add_get("/keys", keys)
    return serving


async def main() -> None:
    """Serve until killed."""
    runner = web.AppRunner(app(json.loads(sys.argv[2])))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1])).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
