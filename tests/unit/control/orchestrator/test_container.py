"""The container of a server: what it starts, and that nothing in it is filled in by Kubernetes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.orchestrator.container import container, image_of, literal
from tests.kube.wanted_servers import BARE, DEFAULTS, HTTP, OWN_IMAGE, STDIO

WORDS = st.text(alphabet=st.sampled_from("$()ABC_ x"), max_size=20)


def filled_in(text: str, variables: dict[str, str]) -> str:
    """What kubelet makes of an argument (`third_party/forked/golang/expansion/expand.go`)."""
    pieces = re.split(r"(\$\$|\$\([^)]*\))", text)
    return "".join(
        "$" if piece == "$$" else variables.get(piece[2:-1], piece) if piece.startswith("$(") else piece
        for piece in pieces
    )


def variables(made: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in made["env"]}


@given(WORDS)
def test_kubernetes_fills_no_secret_into_a_text(text: str) -> None:
    assert filled_in(literal(text), {"A": "canary", "ARCHWAY_BRIDGE_TOKEN": "canary"}) == text


@pytest.mark.parametrize("place", ["command", "environment"])
def test_neither_an_argument_nor_a_variable_can_name_the_token(place: str) -> None:
    text = "$(ARCHWAY_BRIDGE_TOKEN)"
    changed = {"command": ("serve", text)} if place == "command" else {"environment": {"X": text}}
    made = container(replace(STDIO, **changed), DEFAULTS)  # type: ignore[arg-type]
    given_text = made["args"][-1] if place == "command" else variables(made)["X"]
    assert filled_in(given_text, {"ARCHWAY_BRIDGE_TOKEN": "canary"}) == text


def test_the_base_image_is_told_what_its_bridge_starts() -> None:
    made = container(STDIO, DEFAULTS)
    assert "command" not in made
    assert made["args"][: made["args"].index("--")] == [
        "--host",
        "0.0.0.0",
        "--port",
        "8080",
        "--start-within",
        "300",
    ]
    assert made["args"][made["args"].index("--") + 1 :][:2] == ["uvx", "mcp-server-time==2026.10.19"]


def test_an_own_image_over_stdio_starts_the_bridge_that_it_has_of_the_base_image() -> None:
    made = container(OWN_IMAGE, DEFAULTS)
    assert made["command"] == ["python", "-I", "-m", "bridge"]
    assert made["args"][-2:] == ["notes", "serve"]


def test_a_server_over_http_starts_as_its_image_does_and_is_told_its_port() -> None:
    made = container(HTTP, DEFAULTS)
    assert not {"command", "args"} & made.keys()
    assert variables(made)["PORT"] == "9000"
    assert container(replace(HTTP, command=("serve", "$5")), DEFAULTS)["command"] == ["serve", "$$5"]


def test_a_server_stays_on_the_base_image_that_it_was_pinned_to() -> None:
    assert image_of(replace(STDIO, base_image="registry.example/base:0"), DEFAULTS) == "registry.example/base:0"
    assert image_of(STDIO, DEFAULTS) == DEFAULTS.base_image
    assert image_of(replace(HTTP, base_image="registry.example/base:0"), DEFAULTS) == HTTP.image


def test_secrets_are_named_and_never_written() -> None:
    made = container(STDIO, DEFAULTS)
    assert "canary" not in str(made)
    assert set(variables(made)["API_KEY"]["secretKeyRef"]) == {"name", "key"}
    assert variables(made)["ARCHWAY_SECRET_NAMES"] == "API_KEY"
    assert "canary" not in str(container(HTTP, DEFAULTS))


def test_an_entry_cannot_take_the_place_of_what_is_ours() -> None:
    wanted = replace(STDIO, environment={"ARCHWAY_BRIDGE_TOKEN": "mine", "API_KEY": "mine"})
    names = [one["name"] for one in container(wanted, DEFAULTS)["env"]]
    assert len(names) == len(set(names))
    assert "mine" not in str(container(wanted, DEFAULTS)["env"])


@pytest.mark.parametrize(
    ("wanted", "probe"),
    [
        (STDIO, {"httpGet": {"path": "/healthz", "port": "mcp"}}),
        (HTTP, {"httpGet": {"path": "/well", "port": "mcp"}}),
        (BARE, {"tcpSocket": {"port": "mcp"}}),
    ],
    ids=["the bridge", "a path", "a port"],
)
def test_it_is_ready_only_once_it_has_answered(wanted: Any, probe: dict[str, Any]) -> None:
    made = container(wanted, DEFAULTS)
    for name in ("startupProbe", "readinessProbe"):
        assert made[name] | probe == made[name]


def test_a_limit_of_the_processor_is_there_only_where_it_was_asked_for() -> None:
    assert container(HTTP, DEFAULTS)["resources"]["limits"]["cpu"] == "2"
    assert "cpu" not in container(STDIO, DEFAULTS)["resources"]["limits"]


def test_one_that_is_started_with_a_token_is_told_when_that_ends_and_how_long_its_calls_may_take_to() -> None:
    made = container(replace(STDIO, ends_at=1_796_000_000.4, drain_s=600.0), DEFAULTS)
    told = variables(made)
    assert (told["ARCHWAY_TOKEN_ENDS_AT"], told["ARCHWAY_LINGER_S"]) == ("1796000000", "5")
    before = made["args"][: made["args"].index("--")]
    assert before[-2:] == ["--drain-within", "600"]
    assert not [name for name in variables(container(STDIO, DEFAULTS)) if "LINGER" in name or "ENDS" in name]
