"""What a worker forgets when a change is announced, and what it keeps."""

import time
from typing import Any, get_args

import pytest

from core.changes import Change, Kind
from core.identifiers import new_id
from core.mcp.versions import Era
from core.resolve import CallerVerdict, Principal, TokenProof
from proxy.caches.two_ages import Aged
from proxy.upstream.asides import _Aside
from proxy.upstream.eras import Found, _key
from proxy.upstream.handshake import UpstreamSession
from proxy.worker import Worker
from tests.fakes.call_parts import installation, worker

CONNECTION = installation()


def filled(made: Worker) -> None:
    """A token of user u in team t, and a connection of that user."""
    verdict = CallerVerdict("d", Principal("user", "u", "u", frozenset({"t"})), "token")
    made.deps.authority.verdicts.memory.put("d", Aged(verdict, time.monotonic()))
    made.deps.installations.resolved.memory.put("g/a/user:u", Aged(CONNECTION, time.monotonic()))


def left(made: Worker) -> tuple[bool, bool]:
    deps = made.deps
    return deps.authority.verdicts.memory.holds("d"), deps.installations.resolved.memory.holds("g/a/user:u")


@pytest.mark.parametrize(
    ("kind", "name", "verdict", "own"),
    [
        ("token", "d", False, True),
        ("token", "e", True, True),
        ("user", "u", False, False),
        ("user", "v", True, True),
        ("team", "t", False, False),
        ("gateway", "g", True, False),
        ("installation", CONNECTION.installation_id, True, False),
        ("installation", new_id(), True, True),
        ("entry", CONNECTION.entry_id, True, False),
    ],
    ids=[
        "its token",
        "another token",
        "its user",
        "another user",
        "its team",
        "its gateway",
        "its installation",
        "another installation",
        "its entry",
    ],
)
async def test_a_change_makes_the_worker_forget_what_it_makes_untrue(
    kind: Any, name: str, verdict: bool, own: bool
) -> None:
    async with worker() as made:
        filled(made)
        await made.forgetting.apply(Change("epoch", 1, kind, name, -1 if kind == "gateway" else 0))
        assert left(made) == (verdict, own)


async def test_a_client_that_changed_is_served_with_nothing_that_was_found_for_it_before() -> None:
    async with worker() as made:
        memory = made.deps.installations.resolved.memory
        for key in ("g/a/service:c", "g/a/service:other", "g/a/user:c", "g/a/*"):
            memory.put(key, Aged(CONNECTION, time.monotonic()))
        await made.forgetting.apply(Change("epoch", 1, "client", "c"))
        kept = [key for key in ("g/a/service:c", "g/a/service:other", "g/a/user:c", "g/a/*") if memory.holds(key)]
        assert kept == ["g/a/service:other", "g/a/user:c", "g/a/*"]


async def test_a_changed_or_discovered_installation_is_asked_again_what_it_speaks_and_rests_no_more() -> None:
    async with worker() as made:
        health = made.deps.upstreams.health
        health.eras._found.put(_key(CONNECTION), Found(Era.LEGACY, float("inf")))
        for _ in range(5):
            health.breakers.failed_to_connect(CONNECTION.installation_id, slowly=True)
        await made.forgetting.apply(Change("epoch", 1, "installation", new_id()))
        assert health.eras.known(CONNECTION) is Era.LEGACY
        assert health.breakers.rests(CONNECTION.installation_id)
        await made.forgetting.apply(Change("epoch", 2, "installation", CONNECTION.installation_id))
        assert health.eras.known(CONNECTION) is None
        assert not health.breakers.rests(CONNECTION.installation_id)


async def test_in_doubt_nothing_remembered_is_used_before_it_was_asked_again() -> None:
    async with worker() as made:
        filled(made)
        made.forgetting.doubt()
        assert left(made) == (True, True)  # kept: it may serve while control is away
        assert made.deps.authority.known(TokenProof("d")) is None
        assert made.deps.installations.resolved.memory.fresh("g/a/user:u") is None


async def test_in_doubt_no_stream_stays_that_a_policy_may_not_allow_any_more() -> None:
    async with worker() as made:
        asides = made.deps.upstreams.asides
        for name, policy in (("held", "policy"), ("free", "")):
            _ = asides._open.put(name, _Aside(UpstreamSession("s", "2025-06-18"), policy))
        made.forgetting.doubt()
        assert (asides.knows("held"), asides.knows("free")) == (False, True)


async def test_every_kind_of_change_has_its_row_and_a_session_that_ends_takes_nothing_else_along() -> None:
    async with worker() as made:
        assert set(made.forgetting.by_kind) == set(get_args(Kind))
        filled(made)
        await made.forgetting.apply(Change("epoch", 1, "session", "s"))
        assert left(made) == (True, True)
        assert made.deps.sessions.has_ended("s")
