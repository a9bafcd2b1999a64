"""Remote servers that are held to an environment's egress policy: calls, probes, and what is listened to.

127.0.0.1 is where the policy allows servers, and 127.0.0.2 where it does not; both are open to the deployment.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from core.egress.rules import Allowed, EgressRules
from core.probes import ProbeQuestion
from core.resolve import ResolvedInstallation
from tests.fakes.mcp_upstream import Era, McpUpstream
from tests.proxy.conftest import Rig, eventually
from tests.proxy.test_call_records import arrived
from tests.proxy.test_offers import offered
from tests.proxy.test_subscriptions import Caller, server_of

NETWORK = EgressRules("restricted", (Allowed(("127.0.0.1/32",), ports=("1-65535",)),))
OFF = EgressRules("off")


def held(rig: Rig, url: str, egress: EgressRules = NETWORK, **fields: Any) -> ResolvedInstallation:
    return rig.control.installation(url, egress=egress, environment="production", **fields)


async def serve(rig: Rig, installation: ResolvedInstallation) -> None:
    await rig.serve([rig.control.tool("t", "echo", installation)])


async def refused(rig: Rig) -> bool:
    refusal = (await rig.call("t", {"n": 1})).result.get("_meta", {}).get("archway/refusal")
    return refusal is not None and refusal["code"] == "upstream_egress"


async def changes_to(rig: Rig, now: ResolvedInstallation) -> None:
    """Control resolves to this from now on, and has said so."""
    rig.control.installations = dict.fromkeys(rig.control.installations, now)
    await rig.control.announce("installation", now.installation_id, -1)


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_a_call_goes_where_the_policy_allows_it_and_nowhere_else(rig: Rig, era: Era) -> None:
    async with McpUpstream(era=era) as good, McpUpstream(era=era, host="127.0.0.2") as bad:
        here = rig.control.tool("t", "echo", held(rig, good.url))
        await rig.serve([here, rig.control.tool("stolen", "echo", held(rig, bad.url))])
        for number in (1, 2, 3):
            assert (await rig.call("t", {"n": number})).result["content"][0]["text"] == f'{{"n":{number}}}'
        for _ in range(7):  # as often as would have the server rest, were it the server's fault
            reply = await rig.call("stolen", {"n": 1})
            assert (reply.refusal["code"], reply.refusal["retryable"]) == ("upstream_egress", False)
            assert "egress policy of the environment production" in reply.result["content"][0]["text"]
        assert bad.seen == []
        refusals = [one for one in await arrived(rig, 10) if one.status == "upstream_egress"]
        assert {one.decision for one in refusals} == {"refused"}
        assert len(refusals) == 7


async def test_a_changed_policy_is_felt_by_calls_whose_connection_lies_idle(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as there:
        was = held(rig, there.url)
        await serve(rig, was)
        for number in (1, 2, 3):
            assert not (await rig.call("t", {"n": number})).result.get("isError")
        await changes_to(rig, replace(was, egress=OFF))
        await eventually(lambda: refused(rig))
        seen = len(there.seen_of("tools/call"))
        assert await refused(rig)
        assert len(there.seen_of("tools/call")) == seen
        await changes_to(rig, was)

        async def is_served() -> bool:
            return not await refused(rig)

        await eventually(is_served)


async def narrowed_once_heard(rig: Rig, there: McpUpstream) -> str:
    """An installation whose server was listened to, and whose policy allows nothing any more; no news of it yet."""
    was = held(rig, there.url)
    name = was.installation_id
    rig.control.watched[name] = was
    rig.worker.watches._doubt.set()

    async def is_heard() -> bool:
        return (name, "tools") in rig.control.heard

    await eventually(is_heard)
    rig.control.watched[name] = replace(was, egress=OFF)
    return name


async def no_longer_listened_to(there: McpUpstream) -> None:
    """Wait until each stream of news is closed."""

    async def is_closed() -> bool:
        return all(one.abandoned for one in there.seen if one.http_method == "GET")

    await eventually(is_closed)


async def test_what_is_listened_to_ends_with_the_policy_that_allowed_it(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as there:
        name = await narrowed_once_heard(rig, there)
        await rig.control.announce("installation", name, -1)
        await no_longer_listened_to(there)
        before = len(there.seen_of("initialize"))
        rig.worker.watches._doubt.set()

        async def is_held_to_the_new_one() -> bool:
            return rig.worker.watches._held[name].installation.egress == OFF

        await eventually(is_held_to_the_new_one)
        assert len(there.seen_of("initialize")) == before


async def test_what_is_listened_to_is_held_to_a_policy_of_which_the_news_was_missed(rig: Rig) -> None:
    async with McpUpstream(era="legacy") as there:
        name = await narrowed_once_heard(rig, there)
        rig.worker.forgetting.doubt()  # as after a hole in the news
        await no_longer_listened_to(there)
        assert rig.worker.watches._held[name].installation.egress == OFF


async def test_subscriptions_are_held_to_a_policy_of_which_the_news_was_missed(rig: Rig) -> None:
    async with server_of("legacy") as there:
        was = held(rig, there.url)
        await rig.serve([], offers=[offered(rig, "resources", was)])
        async with Caller(rig, "modern").hears("a://1"):
            rig.control.installations = dict.fromkeys(rig.control.installations, replace(was, egress=OFF))
            rig.worker.forgetting.doubt()  # as after a hole in the news

            async def is_heard_by_nobody() -> bool:
                return there.heard_by == 0

            await eventually(is_heard_by_nobody)


async def test_discovery_is_held_too_and_tells_an_admin_the_host(rig: Rig) -> None:
    async with McpUpstream(host="127.0.0.2") as there:
        found = await rig.worker.internal._prober.probe(ProbeQuestion(held(rig, there.url)))
        assert found.fault == "upstream_egress"
        assert f"127.0.0.2:{there.port}: the egress policy of the environment production" in found.sentence
        assert there.seen == []
