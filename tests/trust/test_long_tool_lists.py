"""`tools/list` of a gateway with many tools (row L-7): from bytes that were made with its snapshot, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from core.mcp.versions import Era
from tests.fakes.mcp_upstream import McpUpstream
from tests.proxy.conftest import Reply, Rig

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "description": "how many"}}}


async def all_pages(rig: Rig, era: Era) -> list[Reply]:
    session = await rig.open_session() if era is Era.LEGACY else None
    pages: list[Reply] = []
    cursor: dict[str, Any] = {}
    while not pages or cursor:
        if session is None:
            pages.append(await rig.modern("tools/list", cursor))
        else:
            pages.append(await rig.legacy("tools/list", cursor, session=session))
        following = pages[-1].result.get("nextCursor")
        cursor = {} if following is None else {"cursor": following}
    return pages


@pytest.mark.parametrize("era", [Era.MODERN, Era.LEGACY], ids=["modern", "legacy"])
@pytest.mark.parametrize("_row", [pytest.param(0, id="L-7: 2,000 tools")])
async def test_every_page_is_the_bytes_that_were_made_with_the_snapshot(
    rig: Rig, upstream: McpUpstream, era: Era, _row: int
) -> None:
    installation = rig.control.installation(upstream.url)
    names = [f"tool_{number:04}" for number in range(2_000)]
    await rig.serve([rig.control.tool(name, "echo", installation, schema=SCHEMA) for name in names])
    first = await all_pages(rig, era)
    assert [one["name"] for page in first for one in page.result["tools"]] == names
    held = rig.worker.gateways.held("g")
    assert held is not None
    made = [
        held.tool_lists[era][cursor] for cursor in (None, *(page.result.get("nextCursor") for page in first[:-1]))
    ]
    for result, page in zip(made, first, strict=True):
        assert page.body.endswith(result)
    # Nothing is left of which it could be made again.
    held.visible.clear()
    held.snapshot.tools.clear()
    again = await all_pages(rig, era)
    assert [page.result for page in again] == [page.result for page in first]
