import json

import pytest

from core.probes import Probe
from proxy.upstream.look import look_for_redirect
from tests.fakes.call_parts import installation
from tests.fakes.pool_calls import Pool
from tests.fakes.scripted_upstream import CLOSE, Script, ScriptedUpstream, ok


async def looked(*script: Script) -> tuple[str, ScriptedUpstream]:
    async with ScriptedUpstream(*script) as server, Pool() as pool:
        return (await look_for_redirect(pool, installation(server.url + "/mcp"))).sentence, server


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"307 Temporary Redirect", b"308 Permanent Redirect"])
async def test_a_redirect_is_told_and_not_followed(status: bytes) -> None:
    told, server = await looked([ok(b"", b"Location: /mcp/", status=status)])
    assert told == f"It redirects to {server.url}/mcp/: enter that URL."
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "script",
    [[ok(b"{}")], [ok(b"no", status=b"401 Unauthorized")], [ok(b"no", status=b"500 No")], [CLOSE]],
    ids=["success", "401", "500", "no answer"],
)
async def test_whatever_else_a_server_says_is_no_news(script: Script) -> None:
    assert (await looked(script))[0] == ""


async def test_a_server_that_cannot_be_reached_is_no_news() -> None:
    async with Pool() as pool:
        assert await look_for_redirect(pool, installation()) == Probe()


async def test_the_question_is_one_that_opens_nothing() -> None:
    _, server = await looked([ok(b"{}")])
    (request,) = server.requests
    assert json.loads(request.partition(b"\r\n\r\n")[2])["method"] == "server/discover"
