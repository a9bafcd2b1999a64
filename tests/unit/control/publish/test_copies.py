"""Copies of connections in Redis go with what makes them untrue, and no others do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from control.publish.copies import StaleCopiesSweep
from control.redis import Redis, RedisAway
from control.store.pool import Pool, transaction
from control.store.stale_copies import note
from core.redis_names import installation_key, verdict_key
from tests.control import seeded
from tests.fixtures_redis import RedisServer

NOBODY = "00000000-0000-7000-8000-000000000000"


@dataclass
class Scene:
    """Two gateways: one with a pinned and a found tool of an entry, one with a tool of another entry."""

    ids: dict[str, str]
    server: RedisServer
    pool: Pool
    sweep: StaleCopiesSweep

    def key(self, tool: str, caller: str) -> str:
        gateway = self.ids["elsewhere" if tool == "other" else "work"]
        return f"{gateway}/{self.ids[tool]}/{caller}"

    async def left_after(self, kind: str, name: str) -> list[str]:
        """Leave five copies, publish a change, and name those that are there afterwards."""
        copies = {
            "pinned": self.key("pinned", "*"),
            "found by ann": self.key("found", f"user:{self.ids['ann']}"),
            "found by bob": self.key("found", "user:bob"),
            "other by ann": self.key("other", f"user:{self.ids['ann']}"),
            "other by a program": self.key("other", "service:nightly"),
        }
        with self.server.client() as redis:
            redis.mset({installation_key(key): b"sealed" for key in copies.values()} | {verdict_key("d"): b"sealed"})
            async with transaction(self.pool) as conn:
                await note(conn, [(kind, self.ids.get(name, name))])
            await self.sweep.sweep()
            assert redis.exists(verdict_key("d"))
            return [what for what, key in copies.items() if redis.exists(installation_key(key))]


@pytest.fixture
async def scene(pool: Pool, redis_server: RedisServer) -> AsyncIterator[Scene]:
    async with transaction(pool) as conn:
        entry, other = await seeded.entry(conn), await seeded.entry(conn, "crm")
        ids = {
            "entry": entry, "ann": await seeded.user(conn), "team": await seeded.team(conn, "ops"),
            "work": await seeded.gateway(conn), "elsewhere": await seeded.gateway(conn, "elsewhere"),
            "shared": await seeded.installation(conn, entry),
        }  # fmt: skip
        ids["mine"] = await seeded.installation(conn, entry, user=ids["ann"])
        tool, theirs = await seeded.tool(conn, entry), await seeded.tool(conn, other)
        ids["pinned"] = await seeded.assignment(conn, ids["work"], tool, "pinned", ids["shared"])
        ids["found"] = await seeded.assignment(conn, ids["work"], tool, "found")
        ids["other"] = await seeded.assignment(conn, ids["elsewhere"], theirs, "other")
    async with Redis(redis_server.url, deadline_s=2) as redis:
        yield Scene(ids, redis_server, pool, StaleCopiesSweep(pool, redis))


@pytest.mark.parametrize(
    ("kind", "name", "left"),
    [
        ("gateway", "work", ["other by ann", "other by a program"]),
        ("gateway", "elsewhere", ["pinned", "found by ann", "found by bob"]),
        ("entry", "entry", ["other by ann", "other by a program"]),
        ("installation", "shared", ["other by ann", "other by a program"]),
        ("installation", "mine", ["pinned", "other by ann", "other by a program"]),
        ("installation", NOBODY, ["pinned"]),
        ("user", "ann", ["pinned", "found by bob", "other by a program"]),
        ("user", "nightly", ["pinned", "found by ann", "found by bob", "other by ann", "other by a program"]),
        ("client", "nightly", ["pinned", "found by ann", "found by bob", "other by ann"]),
        ("team", "team", ["pinned"]),
        ("entry", NOBODY, ["pinned", "found by ann", "found by bob", "other by ann", "other by a program"]),
    ],
)
async def test_a_change_takes_the_copies_that_it_concerns(
    kind: str, name: str, left: list[str], scene: Scene
) -> None:
    assert await scene.left_after(kind, name) == left


async def test_what_was_swept_is_not_swept_again(scene: Scene) -> None:
    await scene.left_after("gateway", "work")
    assert await scene.sweep.sweep() == 0


async def test_a_change_waits_until_redis_is_there_to_forget_its_copies(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> list[bytes]:
        raise RedisAway("away")

    with monkeypatch.context() as broken:
        broken.setattr(Redis, "names_like", away)
        with pytest.raises(RedisAway):
            await scene.left_after("gateway", "work")
    assert await scene.left_after("gateway", "elsewhere") == []


async def test_a_key_out_of_form_goes_too(scene: Scene) -> None:
    with scene.server.client() as redis:
        redis.set(installation_key("nonsense"), b"x")
        await scene.left_after("user", "ann")
        assert not redis.exists(installation_key("nonsense"))
