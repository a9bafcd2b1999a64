"""Calls that prepare a worker with plans, so that the call which a test makes goes by one.

The first call makes its caller known, the second its head, and the third the plan; most tests make one call and look
at that. So before the first call with a head its like is made three times, with the same headers, and with arguments
that `McpUpstream` and `ScriptedUpstream` answer and forget. No record is left of them. What they do leave is what
earlier calls do: a known server, caches that are filled, counters that stand higher. A test about first calls says
`rig.prepared = None`. Used by `Rig.post`.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import aiohttp

from core.mcp.versions import MODERN
from proxy.worker import Worker
from tests.fakes.mcp_answers import PREPARES

_TIMES = 3


class _Nowhere(deque[Any]):
    """Keeps nothing."""

    def append(self, _: Any) -> None:
        """Forget it."""


class PreparedCalls:
    """What has been prepared for one rig."""

    def __init__(self, worker: Worker, http: aiohttp.ClientSession) -> None:
        self._worker, self._http = worker, http
        self._done: set[tuple[str, ...]] = set()
        self._one_by_one = asyncio.Lock()

    @contextmanager
    def without_records(self) -> Iterator[None]:
        """What is called meanwhile leaves no record."""
        records = self._worker.deps.records  # parts of the worker hold on to its methods, which cannot be replaced
        with patch.object(records, "_waiting", _Nowhere()), patch.object(records, "kept", records.kept):
            yield

    async def prepare(self, message: Any, url: str, headers: dict[str, str]) -> None:
        """Make this call's like three times, if it is a call of a tool and none with its head was made."""
        name = _tool_of(message)
        if name is None:
            return
        key = (name, url, *(f"{one}:{value}" for one, value in sorted(headers.items())))
        async with self._one_by_one:
            if key in self._done:
                return
            self._done.add(key)
            with self.without_records():
                for _ in range(_TIMES):
                    async with self._http.post(url, json=_like(name, headers), headers=headers) as response:
                        await response.read()


def _tool_of(message: Any) -> str | None:
    """The tool that is called; None for another message."""
    if not isinstance(message, dict) or message.get("method") != "tools/call":
        return None
    params = message.get("params")
    name = params.get("name") if isinstance(params, dict) else None
    return name if isinstance(name, str) else None


def _like(name: str, headers: dict[str, str]) -> dict[str, Any]:
    params: dict[str, Any] = {"name": name, "arguments": PREPARES}
    if headers.get("MCP-Protocol-Version") == MODERN:
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        }
    return {"jsonrpc": "2.0", "id": "prepares", "method": "tools/call", "params": params}
