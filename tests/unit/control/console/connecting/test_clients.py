"""Which clients and ways Connect offers, and that what is copied is whole for each of them."""

from __future__ import annotations

import json
import shlex
import tomllib

import pytest

from control.console.connecting.clients import CLIENTS, WAYS, client_by, clients_for, ways_of
from control.console.connecting.step import HOLDER, Client, Target
from core.resolve import AuthKind

TARGET = Target("https://mcp.example.com/v1/mcp/sales", "sales", "arch_secret")
PAIRS = [pytest.param(client, way, id=f"{client.key}-{way}") for client in CLIENTS for way in client.ways]


def codes(client: Client, way: AuthKind, to: Target = TARGET) -> list[str]:
    return [step.code for step in client.ways[way](to) if step.code]


@pytest.mark.parametrize(("client", "way"), PAIRS)
def test_each_names_the_gateway_and_says_each_step(client: Client, way: AuthKind) -> None:
    steps = client.ways[way](TARGET)
    assert any(TARGET.url in step.code for step in steps)
    assert all(step.says for step in steps)


@pytest.mark.parametrize(("client", "way"), PAIRS)
def test_the_secret_is_in_what_is_copied_with_a_token_and_nowhere_else(client: Client, way: AuthKind) -> None:
    assert any("arch_secret" in code for code in codes(client, way)) == (way == "token")
    assert not any("arch_secret" in step.link + step.says for step in client.ways[way](TARGET))


@pytest.mark.parametrize("client", [one for one in CLIENTS if "token" in one.ways], ids=lambda one: str(one.key))
def test_a_place_is_held_for_the_secret_until_there_is_one(client: Client) -> None:
    assert any(HOLDER in code for code in codes(client, "token", Target(TARGET.url, "sales")))


@pytest.mark.parametrize("key", ["claude-desktop", "cursor", "vs-code"])
@pytest.mark.parametrize("way", ["token", "oauth"])
def test_a_file_of_settings_is_json(key: str, way: AuthKind) -> None:
    client = client_by(key)
    assert client is not None
    for step in client.ways[way](TARGET):
        if step.where.endswith(".json"):
            json.loads(step.code)


def test_the_file_of_codex_is_toml() -> None:
    client = client_by("codex")
    assert client is not None
    table = tomllib.loads(codes(client, "token")[0])
    assert table["mcp_servers"]["sales"] == {"url": TARGET.url, "bearer_token_env_var": "ARCHWAY_TOKEN"}


@pytest.mark.parametrize("key", ["claude-code", "codex", "curl"])
@pytest.mark.parametrize("way", ["token", "oauth", "jwt"])
def test_a_command_is_one_that_a_shell_reads(key: str, way: AuthKind) -> None:
    client = client_by(key)
    assert client is not None
    if way in client.ways:
        for step in client.ways[way](TARGET):
            if step.where == "in a terminal":
                assert shlex.split(step.code)


def test_a_gateway_that_takes_tokens_alone_offers_no_other_way() -> None:
    assert all(ways_of(client, ("token",)) == ["token"] for client in clients_for(("token",)))
    assert len(clients_for(("token",))) == len(CLIENTS)


def test_signing_in_comes_first_where_it_is_open() -> None:
    client = client_by("claude-code")
    assert client is not None
    assert ways_of(client, ("token", "oauth")) == ["oauth", "token"]
    assert [one.key for one in clients_for(("jwt",))] == ["python", "typescript", "curl"]


def test_every_way_has_its_words() -> None:
    assert all(way in WAYS for client in CLIENTS for way in client.ways)


def test_no_client_has_a_strange_key() -> None:
    assert client_by("nothing") is None
