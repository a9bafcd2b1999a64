from __future__ import annotations

import json
from pathlib import Path

import pytest

from archway.calling.where import NoGateway, where

UP = {"proxy_url": "http://127.0.0.1:8400", "gateway_url": "http://127.0.0.1:8400/v1/mcp/demo", "gateway_token": "t"}
ID = "01890000-0000-7000-8000-000000000001"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "up.json").write_text(json.dumps(UP))
    return tmp_path


@pytest.mark.parametrize("gateway", ["demo", "my-lab", ID])
def test_a_gateway_of_the_state_folder_is_called_with_its_token(state: Path, gateway: str) -> None:
    found = where(gateway, state, {})
    assert (found.url, found.token) == (f"http://127.0.0.1:8400/v1/mcp/{gateway}", "t")
    assert found.token_from == str(state / "up.json")


def test_the_environment_goes_before_the_state_folder(state: Path) -> None:
    found = where("demo", state, {"ARCHWAY_TOKEN": " mine\n", "ARCHWAY_PROXY_URL": "https://mcp.example.com/"})
    assert (found.url, found.token, found.token_from) == (
        "https://mcp.example.com/v1/mcp/demo", "mine", "ARCHWAY_TOKEN",
    )  # fmt: skip


def test_a_whole_url_is_taken_as_it_is(tmp_path: Path) -> None:
    url = "https://mcp.example.com/v1/mcp/lab"
    assert where(url, tmp_path, {"ARCHWAY_TOKEN": "mine"}).url == url


def test_the_state_folders_token_goes_to_its_own_gateways_by_their_whole_url_too(state: Path) -> None:
    assert where("http://127.0.0.1:8400/v1/mcp/lab", state, {}).token == "t"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1/mcp/demo",
        "http://127.0.0.1:8400.evil.example/v1/mcp/demo",
        "http://127.0.0.1:8400@evil.example/v1/mcp/demo",
        "http://127.0.0.1:84000/v1/mcp/demo",
        "https://127.0.0.1:8400/v1/mcp/demo",
        "http://127.0.0.1:8400/elsewhere",
    ],
)
def test_the_state_folders_token_goes_nowhere_else(state: Path, url: str) -> None:
    with pytest.raises(NoGateway, match="set ARCHWAY_TOKEN"):
        where(url, state, {})


def test_the_state_folders_token_does_not_follow_another_address_of_gateways(state: Path) -> None:
    with pytest.raises(NoGateway, match="set ARCHWAY_TOKEN"):
        where("demo", state, {"ARCHWAY_PROXY_URL": "https://evil.example"})


@pytest.mark.parametrize("gateway", ["", "De mo", "../demo", "demo/", "ftp://h/v1/mcp/demo", "a" * 64])
def test_what_is_no_gateway_is_told_the_form(state: Path, gateway: str) -> None:
    with pytest.raises(NoGateway, match="is no gateway: give its slug or id"):
        where(gateway, state, {})


def test_where_nothing_runs_the_ways_are_named(tmp_path: Path) -> None:
    with pytest.raises(NoGateway, match="set ARCHWAY_PROXY_URL"):
        where("demo", tmp_path, {"ARCHWAY_TOKEN": "mine"})
    with pytest.raises(NoGateway, match="no token: set ARCHWAY_TOKEN"):
        where("demo", tmp_path, {"ARCHWAY_PROXY_URL": "https://mcp.example.com"})
    with pytest.raises(NoGateway, match="must begin with https"):
        where("demo", tmp_path, {"ARCHWAY_PROXY_URL": "mcp.example.com", "ARCHWAY_TOKEN": "mine"})


def test_no_token_is_in_a_repr(state: Path) -> None:
    assert "mine" not in repr(where("demo", state, {"ARCHWAY_TOKEN": "mine"}))
