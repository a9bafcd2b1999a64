"""Real clients of both eras, through the whole product, to real servers: one from npm that is legacy only, one from
PyPI of both eras. Each client lists and calls the tools of both, on one gateway."""

import pytest

from tests.clients.real_clients import CLIENTS, DriverError, RealClient
from tests.fixtures_archway import RunningArchway

EVERY_CLIENT = pytest.mark.parametrize("client", [pytest.param(one, id=one.name) for one in CLIENTS])


@pytest.fixture(scope="session")
def gateway(archway: RunningArchway, everything_server: str, time_server: str) -> tuple[str, str]:
    """URL and token of a gateway with the tools of both servers."""
    both = [archway.entry("everything", everything_server), archway.entry("time", time_server)]
    return archway.gateway("both", *both), archway.token()


@EVERY_CLIENT
async def test_every_client_calls_a_tool_of_the_npm_server(client: RealClient, gateway: tuple[str, str]) -> None:
    outcome = await client.run(*gateway, "everything__echo", {"message": "through the gateway"})
    assert {"everything__echo", "time__get_current_time"} <= set(outcome.tools)
    assert "through the gateway" in outcome.text


@EVERY_CLIENT
async def test_every_client_calls_a_tool_of_the_pypi_server(client: RealClient, gateway: tuple[str, str]) -> None:
    outcome = await client.run(*gateway, "time__get_current_time", {"timezone": "UTC"})
    assert '"timezone"' in outcome.text
    if not client.name.startswith("Inspector"):  # it does not say what it agreed on
        assert outcome.protocol == ("2026-07-28" if client.speaks_modern else "2025-11-25")


@EVERY_CLIENT
async def test_every_client_is_told_that_a_made_up_token_is_none(
    client: RealClient, gateway: tuple[str, str]
) -> None:
    with pytest.raises(DriverError, match=r"401|[Uu]nauthorized|send a token|auth_required"):
        await client.run(gateway[0], "arch_made_up", "everything__echo", {})
