"""What a probe pod tries: the words for what a pod knows, and how often it tries before it says so."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import defaultdict
from pathlib import Path

import pytest

from bridge.reach import Place, connect, listen, main, place_of, tried
from core.reach_terms import MOST_TARGETS, Outcome

NOBODY = Path("/nowhere/resolv.conf")


class Network:
    """Answers of a network, each target's in turn, the last one from then on."""

    def __init__(self, **answers: list[Outcome]) -> None:
        self.left = answers
        self.asked: dict[str, int] = defaultdict(int)
        self.order: list[str] = []

    async def connect(self, place: Place) -> Outcome:
        host, _ = place
        self.asked[host] += 1
        self.order.append(host)
        left = self.left[host]
        return left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("example.com:443", ("example.com", 443)),
        ("[2001:db8::1]:8443", ("2001:db8::1", 8443)),
        ("api-server", ("10.96.0.1", 443)),
        ("nameserver", ("10.96.0.10", 53)),
    ],
)
def test_a_target_is_a_place(target: str, place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    (tmp_path / "resolv.conf").write_text("search x.svc\nnameserver 10.96.0.10\nnameserver 10.96.0.11\n")
    assert place_of(target, tmp_path / "resolv.conf") == place


async def test_what_a_pod_does_not_know_is_unresolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    seen = await tried(["nameserver", "nonsense"], ["api-server"], within=5, nameservers=NOBODY)
    assert seen == {"nameserver": "unresolved", "nonsense": "unresolved", "api-server": "unresolved"}


async def test_what_should_answer_is_tried_until_it_does_and_first() -> None:
    network = Network(a=["blocked", "blocked", "reached"], b=["blocked"])
    assert await tried(["a:1"], ["b:1"], within=30, nameservers=NOBODY, by=network.connect) == {
        "a:1": "reached",
        "b:1": "blocked",
    }
    assert network.order == ["a", "a", "a", "b", "b", "a"]


async def test_a_policy_that_needs_a_moment_is_waited_for() -> None:
    network = Network(b=["reached", "blocked", "reached", "blocked", "blocked"])
    assert await tried([], ["b:1"], within=30, nameservers=NOBODY, by=network.connect) == {"b:1": "blocked"}
    assert network.asked["b"] == 5


async def test_what_never_shuts_is_reached_when_the_time_is_over() -> None:
    network = Network(b=["reached"])
    assert await tried([], ["b:1"], within=0, nameservers=NOBODY, by=network.connect) == {"b:1": "reached"}


async def test_what_should_answer_must_do_so_when_the_rest_is_shut_too() -> None:
    network = Network(a=["reached", "blocked"], b=["blocked"])
    seen = await tried(["a:1"], ["b:1"], within=0, nameservers=NOBODY, by=network.connect)
    assert seen == {"a:1": "blocked", "b:1": "blocked"}


async def test_a_connection_is_reached_refused_or_has_no_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
        assert await connect(("127.0.0.1", port)) == "reached"
    assert await connect(("127.0.0.1", port)) == "blocked"
    assert await connect(("name.invalid", 443)) == "unresolved"


async def test_a_listener_takes_connections() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listen([port]))
        seen = await tried([f"127.0.0.1:{port}"], [], within=30, nameservers=NOBODY)
        listening.cancel()
    assert seen == {f"127.0.0.1:{port}": "reached"}


def test_what_was_seen_is_told_in_a_file(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        open_, shut = f"127.0.0.1:{there.getsockname()[1]}", "127.0.0.1:1"
        main(["--open", open_, "--shut", shut, "--tell", str(tmp_path / "told")])
    assert json.loads((tmp_path / "told").read_text()) == {open_: "reached", shut: "blocked"}


def test_too_many_targets_are_not_tried(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([f"--open=a:{port}" for port in range(MOST_TARGETS + 1)])
    assert "at most" in capsys.readouterr().err
