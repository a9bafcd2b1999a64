"""Headers of pages."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from control.http.pages import DOOR_POLICY, PAGE_POLICY, add_headers


async def headers_of(response: web.Response) -> dict[str, str]:
    await add_headers(make_mocked_request("GET", "/"), response)
    return dict(response.headers)


async def test_a_page_runs_no_inline_script_is_framed_by_nobody_and_kept_nowhere() -> None:
    found = await headers_of(web.Response(text="<p>", content_type="text/html"))
    assert found["Content-Security-Policy"] == PAGE_POLICY
    assert "unsafe" not in PAGE_POLICY
    assert "frame-ancestors 'none'" in PAGE_POLICY
    assert "form-action 'self'" in PAGE_POLICY
    assert (found["Cache-Control"], found["X-Frame-Options"]) == ("no-store", "DENY")
    assert found["Referrer-Policy"] == "same-origin"


async def test_what_the_handler_has_set_stays() -> None:
    response = web.Response(
        text="<p>",
        content_type="text/html",
        headers={"Content-Security-Policy": DOOR_POLICY, "Cache-Control": "public", "Server": "aiohttp"},
    )
    found = await headers_of(response)
    assert found["Content-Security-Policy"] == DOOR_POLICY
    assert (found["Cache-Control"], found["Server"]) == ("public", "archway")


@pytest.mark.parametrize("kind", ["application/json", "text/css"])
async def test_what_is_no_page_loads_nothing(kind: str) -> None:
    found = await headers_of(web.Response(text="", content_type=kind))
    assert found["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
