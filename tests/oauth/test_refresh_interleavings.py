"""Codes and refresh tokens under race: many steps from three replicas, in random orders, against one PostgreSQL.

Each replica has a pool and an authorization server of its own, as three processes do; nothing but the database is
between them. Whatever comes in which order: of one code there is at most one living family, a family has one living
token, and nobody is signed out by windows of one client that refresh at the same moment.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import aiohttp
import pytest

from control.http.listener import listen
from control.public.app import build_app
from control.public.deps import PublicDeps
from control.public_listener import PARTS
from control.registry import refresh_rotation
from control.store.pool import close_pool, open_pool
from tests.oauth.flow import Answered, Flow

REPLICAS = 3


@pytest.fixture
async def replicas(public_deps: PublicDeps, database: str) -> AsyncIterator[list[str]]:
    """URLs of three replicas of control over one database."""
    async with AsyncExitStack() as ending:
        urls = []
        for _ in range(REPLICAS):
            pool = await open_pool(database)
            ending.push_async_callback(close_pool, pool)
            runner, port = await listen(build_app(replace(public_deps, pool=pool), PARTS), "127.0.0.1", 0)
            ending.push_async_callback(runner.cleanup)
            urls.append(f"http://127.0.0.1:{port}")
        yield urls


class Replicas:
    """Sends each request to a replica that chance chooses."""

    def __init__(self, flow: Flow, urls: list[str], chance: random.Random) -> None:
        self._flow, self._urls, self._chance = flow, urls, chance

    async def token(self, **fields: str) -> Answered:
        """One request; repeated, as a client does, where the database of a busy machine did not answer in time."""
        while True:
            await asyncio.sleep(self._chance.random() * 0.005)
            url = f"{self._chance.choice(self._urls)}/oauth/token"
            async with self._flow.program.post(url, data=fields) as response:
                answer = Answered(response.status, response.headers, await response.read())
            if answer.status != 503:
                return answer


async def living(flow: Flow) -> list[int]:
    """The living number of each family that was not ended."""
    rows = await flow.people.rows(
        """select r.living from oauth_refresh_tokens r join oauth_grants g on g.id = r.grant_id
           where g.revoked_at is null order by g.id"""
    )
    return [row["living"] for row in rows]


@pytest.mark.parametrize("seed", range(6))
async def test_windows_that_refresh_at_the_same_moment_sign_nobody_out_and_fork_no_family(
    flow: Flow, replicas: list[str], seed: int
) -> None:
    chance = random.Random(seed)
    asked = Replicas(flow, replicas, chance)
    client = await flow.register()
    held = {(await flow.signed_in(client))["refresh_token"]}

    async def window() -> None:
        """A window refreshes with some token that was given lately, perhaps twice, and goes on with that."""
        token = chance.choice(sorted(held))
        for _ in range(chance.choice((1, 2))):
            answer = await asked.token(grant_type="refresh_token", refresh_token=token, client_id=client["client_id"])
            assert answer.status == 200, answer.body
            token = answer.json["refresh_token"]
            held.add(token)

    await asyncio.gather(*(window() for _ in range(6)))
    await asyncio.gather(*(window() for _ in range(6)))

    (number,) = await living(flow)
    assert number == len(held)  # each rotation gave one new token, every other answer told one that was there
    assert 1 < number <= 1 + 24


@pytest.mark.parametrize("seed", range(4))
async def test_windows_that_bring_the_same_token_at_once_get_one_and_the_same_new_token(
    flow: Flow, replicas: list[str], seed: int
) -> None:
    asked = Replicas(flow, replicas, random.Random(seed))
    client = await flow.register()
    first = (await flow.signed_in(client))["refresh_token"]
    fields = {"grant_type": "refresh_token", "refresh_token": first, "client_id": client["client_id"]}

    answers = await asyncio.gather(*(asked.token(**fields) for _ in range(8)))

    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["refresh_token"] for answer in answers}) == 1
    assert await living(flow) == [2]


@pytest.mark.parametrize("seed", range(4))
async def test_a_code_that_comes_to_several_replicas_never_leaves_two_living_families(
    flow: Flow, replicas: list[str], seed: int
) -> None:
    chance = random.Random(seed)
    asked = Replicas(flow, replicas, chance)
    client = await flow.register()
    code = (await flow.authorized(client["client_id"]))["code"]
    fields = {"grant_type": "authorization_code", "client_id": client["client_id"], "code": code}
    fields |= {"code_verifier": "a" * 43, "redirect_uri": "https://client.example.com/callback"}

    async def redeem_and_refresh() -> list[Answered]:
        answer = await asked.token(**fields)
        if answer.status != 200:
            return [answer]
        token = answer.json["refresh_token"]
        return [
            answer,
            await asked.token(grant_type="refresh_token", refresh_token=token, client_id=client["client_id"]),
        ]

    answers = await asyncio.gather(*(redeem_and_refresh() for _ in range(chance.choice((2, 3, 5)))))

    assert sum(one[0].status == 200 for one in answers) == 1
    assert await living(flow) == []  # the code came again: whatever it gave has ended


@pytest.mark.parametrize("seed", range(4))
async def test_a_copied_token_ends_the_family_in_whatever_order_the_others_come(
    flow: Flow, replicas: list[str], seed: int
) -> None:
    chance = random.Random(seed)
    asked = Replicas(flow, replicas, chance)
    client = await flow.register()
    first = (await flow.signed_in(client))["refresh_token"]
    latest = (await flow.refresh(client, first)).json["refresh_token"]
    late = refresh_rotation.GRACE.total_seconds() + 1
    await flow.people.rows(
        f"update oauth_refresh_tokens set replaced_at = array[now() - interval '{late} seconds']::timestamptz[]"
    )

    tokens = [first, latest, latest, first, latest]
    chance.shuffle(tokens)
    await asyncio.gather(
        *(
            asked.token(grant_type="refresh_token", refresh_token=token, client_id=client["client_id"])
            for token in tokens
        )
    )
    after = [
        await asked.token(grant_type="refresh_token", refresh_token=token, client_id=client["client_id"])
        for token in (first, latest)
    ]

    assert await living(flow) == []
    assert {answer.error for answer in after} == {"invalid_grant"}


@pytest.mark.parametrize("seed", range(3))
async def test_a_grant_that_is_taken_back_while_it_is_refreshed_stays_so(
    flow: Flow, replicas: list[str], seed: int
) -> None:
    chance = random.Random(seed)
    asked = Replicas(flow, replicas, chance)
    client = await flow.register()
    tokens = await flow.signed_in(client)
    given_back = {"token": tokens["access_token"], "client_id": client["client_id"]}

    async def give_back() -> None:
        await asyncio.sleep(chance.random() * 0.01)
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{chance.choice(replicas)}/oauth/revoke", data=given_back) as response,
        ):
            assert response.status == 200

    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    await asyncio.gather(
        give_back(), *(asked.token(**refresh, client_id=client["client_id"]) for _ in range(4)), give_back()
    )

    assert await living(flow) == []
    assert (await asked.token(**refresh, client_id=client["client_id"])).error == "invalid_grant"
