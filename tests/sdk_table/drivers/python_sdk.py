"""Calls the tool of every row with the Python SDK; prints one line of JSON, row to what went wrong.

Arguments: ORIGIN SECONDS ROW... Run by `tests.sdk_table.sdks`.
"""

import asyncio
import json
import logging
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


async def outcome(origin: str, seconds: float, row: str) -> str:
    """Empty where the row was taken."""
    try:
        async with asyncio.timeout(seconds):
            async with (
                httpx2.AsyncClient(timeout=seconds) as http,
                Client(streamable_http_client(f"{origin}/{row}/mcp", http_client=http), mode="legacy") as client,
            ):
                await client.call_tool("t", {})
    except BaseException as error:  # noqa: BLE001 - whatever it is, the row was not taken
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        return f"{type(error).__name__}: {error}"[:300]
    return ""


async def main(origin: str, seconds: str, *rows: str) -> None:
    logging.disable()
    few_at_once = asyncio.Semaphore(8)  # a large row holds the loop, and the others' time runs

    async def in_turn(row: str) -> str:
        async with few_at_once:
            return await outcome(origin, float(seconds), row)

    outcomes = await asyncio.gather(*map(in_turn, rows))
    print(json.dumps(dict(zip(rows, outcomes, strict=True))))


asyncio.run(main(*sys.argv[1:]))
