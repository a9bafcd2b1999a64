"""What the suite has a server do so that its lists change: of a gateway they change when an administrator changes it.

So the two tools for it, which `server.py` has among the others, give an assignment of each gateway another name by
the admin API, as its administrator would do. `run.py` writes down where that is once the gateways are there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import mcp_types as types

from archway.admin_client import AdminApi

SPARE = "test_spare_tool"
"""A tool that the suite does not ask for."""
TRIGGERS = {"test_trigger_tool_change": SPARE, "test_trigger_prompt_change": "all_prompts"}
"""By the suite's name for the tool: the tool of the server whose assignment gets another name, and back."""
_OTHERWISE = "_renamed"


def write_down(file: Path, api: AdminApi) -> None:
    """Tell the server, which runs already, where the gateways are administered."""
    file.write_text(json.dumps({"url": api.url, "token": api.token}))


def trigger(file: Path, name: str) -> Callable[[Any, dict[str, Any]], Awaitable[list[types.TextContent]]]:
    """The tool of this name."""

    async def play(_: Any, _arguments: dict[str, Any]) -> list[types.TextContent]:
        await asyncio.to_thread(_rename, file, TRIGGERS[name])
        return [types.TextContent(type="text", text="changed")]

    return play


def _rename(file: Path, tool: str) -> None:
    api = AdminApi(**json.loads(file.read_text()))
    for gateway in api.pages("/gateways"):
        path = f"/gateways/{gateway['id']}/assignments"
        for one in api.pages(path):
            if one["tool_name"] == tool:
                name = one["exposed_name"]
                other = name.removesuffix(_OTHERWISE) if name.endswith(_OTHERWISE) else name + _OTHERWISE
                api.patch(f"{path}/{one['id']}", {"exposed_name": other})
