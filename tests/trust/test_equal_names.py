"""Two servers with a tool of one name (row M-3): each has a name on the gateway that is always the same one, and each
server is called by its own name, in the body and in the headers that mirror it."""

from typing import Any

import pytest

from control.registry.exposed_names import default_name, free_name
from tests.fakes.mcp_upstream import McpUpstream
from tests.proxy.conftest import Rig

SCHEMA = {"type": "object", "properties": {"region": {"type": "string"}}}
MIRRORED = [("Region", ["region"])]


@pytest.mark.parametrize(
    "era", [pytest.param("modern", id="M-3: modern servers"), pytest.param("legacy", id="M-3: legacy servers")]
)
async def test_each_server_gets_its_own_name_back_in_body_and_headers(rig: Rig, era: Any) -> None:
    async with McpUpstream(era=era) as crm, McpUpstream(era=era) as wiki:
        servers = {"crm": crm, "wiki": wiki}
        names = {default_name(entry, "echo"): server for entry, server in servers.items()}
        assert list(names) == ["crm__echo", "wiki__echo"]
        await rig.serve(
            [
                rig.control.tool(
                    name, "echo", rig.control.installation(server.url), schema=SCHEMA, param_headers=MIRRORED
                )
                for name, server in names.items()
            ]
        )
        for name, server in names.items():
            told = await rig.call(name, {"region": name}, headers={"Mcp-Param-Region": name})
            assert told.result["content"][0]["text"] == f'{{"region":"{name}"}}'
            (seen,) = [one for one in server.seen_of("tools/call") if not one.prepares]
            assert (seen.tool, seen.arguments) == ("echo", {"region": name})
            if era == "modern":
                mirrored = [seen.headers[header] for header in ("Mcp-Method", "Mcp-Name", "Mcp-Param-Region")]
                assert mirrored == ["tools/call", "echo", name]
            assert server.complaints == []


@pytest.mark.parametrize(
    ("prefix", "others"),
    [
        pytest.param(True, ("crm", "echo", "second"), id="M-3: two installations of one entry"),
        pytest.param(False, ("wiki", "echo", ""), id="M-3: names without a prefix"),
    ],
)
def test_a_name_that_is_taken_gets_a_mark_that_is_always_the_same(prefix: bool, others: tuple[str, ...]) -> None:
    wanted = default_name("crm", "echo", prefix=prefix)
    first = free_name(wanted, set(), "crm", "echo", "")
    second = free_name(wanted, {first}, *others)
    assert first == wanted
    assert second != first
    assert second.startswith(f"{wanted}_")
    assert second == free_name(wanted, {first}, *others)
    assert second != free_name(wanted, {first}, "docs", "echo", "")
