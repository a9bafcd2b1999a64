"""An upstream refuses a credential: control is asked once for a newer one, and the call is sent once more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from core.resolve import InstallationQuestion, InstallationRefusal, ResolvedInstallation
from core.snapshot import Tool
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.proxy.conftest import MakeRig, Reply, Rig, eventually

Renewed = ResolvedInstallation | InstallationRefusal
SIGN_IN = InstallationRefusal("needs_sign_in", "Sign in again.", "https://archway.test/install/srv?as=user:u")


def bearer(version: int) -> str:
    return f"Bearer token-{version}"


def with_version(installation: ResolvedInstallation, version: int, **changed: Any) -> ResolvedInstallation:
    """The installation with another token."""
    headers = [("authorization", bearer(version))]
    return replace(installation, version=version, credential_headers=headers, **changed)


def takes_only(upstream: McpUpstream, version: int) -> None:
    upstream.requires = {"Authorization": bearer(version)}


def called_with(upstream: McpUpstream) -> list[str]:
    """The credential of each call that came to the server."""
    return [one.headers["Authorization"] for one in upstream.seen_of("tools/call")]


def says(answer: Renewed) -> Callable[[InstallationQuestion], Awaitable[Renewed]]:
    async def renews(_: InstallationQuestion) -> Renewed:
        return answer

    return renews


async def serve(
    rig: Rig, upstream: McpUpstream, names: tuple[str, ...] = ("t",), **more: Any
) -> ResolvedInstallation:
    """Tools of one installation whose first token is accepted; control has it, and renews it to the next one."""
    installation = with_version(rig.control.installation(upstream.url), 1)
    tools: list[Tool] = [rig.control.tool(name, "echo", installation) for name in names]
    await rig.serve(tools)
    takes_only(upstream, 1)

    async def renews(asked: InstallationQuestion) -> Renewed:
        newer = with_version(installation, asked.refused_version + 1)
        rig.control.installations |= {tool.assignment_id: newer for tool in tools}
        return newer

    rig.control.renews = renews
    return installation


async def test_a_call_whose_token_is_refused_is_sent_once_more_with_a_newer_one(
    rig: Rig, upstream: McpUpstream
) -> None:
    await serve(rig, upstream)
    assert (await rig.call("t", {"n": 1})).status == 200
    takes_only(upstream, 2)
    reply = await rig.call("t", {"n": 2})
    assert reply.result["content"][0]["text"] == '{"n":2}'
    assert called_with(upstream) == [bearer(1), bearer(1), bearer(2)]
    assert [one.refused_version for one in rig.control.renewals] == [1]
    await rig.call("t", {"n": 3})
    assert called_with(upstream)[3:] == [bearer(2)]


async def test_a_token_that_is_refused_again_is_the_end_of_it(rig: Rig, upstream: McpUpstream) -> None:
    await serve(rig, upstream)
    assert (await rig.call("t")).status == 200
    takes_only(upstream, 3)
    reply = await rig.call("t")
    assert reply.refusal["code"] == "upstream_credential"
    assert called_with(upstream) == [bearer(1), bearer(1), bearer(2)]
    assert len(rig.control.renewals) == 1


async def test_many_calls_that_meet_one_refused_token_are_one_question_to_control(
    rig: Rig, upstream: McpUpstream
) -> None:
    installation = await serve(rig, upstream, ("a", "b"))
    tokens = [rig.control.token() for _ in range(3)]
    tools = [(name, token) for name in ("a", "b") for token in tokens]
    for name, token in tools:
        assert (await rig.call(name, token=token)).status == 200
    asked, let = asyncio.Event(), asyncio.Event()

    async def slowly(question: InstallationQuestion) -> Renewed:
        asked.set()
        await let.wait()
        return with_version(installation, 2)

    rig.control.renews = slowly
    takes_only(upstream, 2)
    seen = len(upstream.seen)

    async def all_calls() -> list[Reply]:
        return await asyncio.gather(*(rig.call(name, token=token) for name, token in tools for _ in range(5)))

    async with asyncio.TaskGroup() as group:
        calls = group.create_task(all_calls())
        await asyncio.wait_for(asked.wait(), 30)
        await upstream.wait_until(lambda: len(upstream.seen) - seen >= 30)
        let.set()
    assert not any(reply.result.get("isError") for reply in calls.result())
    assert len(rig.control.renewals) == 1
    assert rig.worker.installations.renewals.questions == 1


async def test_a_legacy_server_gets_a_session_for_each_credential(make_rig: MakeRig) -> None:
    async with McpUpstream(era="legacy") as upstream, make_rig() as rig:
        await serve(rig, upstream)
        session = await rig.open_session()
        call = {"name": "t", "arguments": {"n": 1}}
        assert "result" in (await rig.legacy("tools/call", call, session=session)).json
        takes_only(upstream, 2)
        reply = await rig.legacy("tools/call", call, session=session)
        assert reply.result["content"][0]["text"] == '{"n":1}'
        sessions = {one.headers["Authorization"]: one.session for one in upstream.seen_of("tools/call")}
        assert sessions[bearer(1)] != sessions[bearer(2)]
        assert [one.headers["Authorization"] for one in upstream.seen_of("initialize")][-1] == bearer(2)


async def test_a_server_that_refuses_to_open_a_session_is_asked_again_with_a_newer_token(make_rig: MakeRig) -> None:
    async with McpUpstream(era="legacy") as upstream, make_rig() as rig:
        rig.prepared = None
        await serve(rig, upstream)
        takes_only(upstream, 2)
        assert (await rig.call("t", {"n": 1})).result["content"][0]["text"] == '{"n":1}'
        assert called_with(upstream) == [bearer(2)]


async def test_a_key_that_nobody_can_renew_is_refused_as_it_was_and_not_asked_about_with_each_call(
    rig: Rig, upstream: McpUpstream
) -> None:
    installation = await serve(rig, upstream)
    rig.control.renews = says(installation)
    assert (await rig.call("t")).status == 200
    takes_only(upstream, 2)
    for _ in range(3):
        assert (await rig.call("t")).refusal["code"] == "upstream_credential"
    assert len(rig.control.renewals) == 1


async def test_a_control_of_the_version_before_changes_nothing(rig: Rig, upstream: McpUpstream) -> None:
    await serve(rig, upstream)
    rig.control.renews = None
    assert (await rig.call("t")).status == 200
    takes_only(upstream, 2)
    assert (await rig.call("t")).refusal["code"] == "upstream_credential"
    assert called_with(upstream) == [bearer(1), bearer(1)]


@pytest.mark.parametrize("refusal", [SIGN_IN, InstallationRefusal("provider_away", "Still connected; try again.")])
async def test_what_control_says_in_place_of_a_newer_token_is_told(
    rig: Rig, upstream: McpUpstream, refusal: InstallationRefusal
) -> None:
    await serve(rig, upstream)
    rig.control.renews = says(refusal)
    assert (await rig.call("t")).status == 200
    takes_only(upstream, 2)
    reply = await rig.call("t")
    assert (reply.refusal["code"], reply.refusal.get("link", "")) == (refusal.code, refusal.link)
    assert reply.refusal["retryable"] == (refusal.code == "provider_away")
    assert refusal.sentence in reply.result["content"][0]["text"]
    assert called_with(upstream) == [bearer(1), bearer(1)]


async def test_who_must_sign_in_again_is_refused_before_the_server_is_asked_and_then_let_through(
    rig: Rig, upstream: McpUpstream
) -> None:
    installation = await serve(rig, upstream)
    rig.control.renews = says(SIGN_IN)
    assert (await rig.call("t")).status == 200
    takes_only(upstream, 2)
    rig.control.installations = dict.fromkeys(rig.control.installations, SIGN_IN)
    for _ in range(2):
        assert (await rig.call("t")).refusal["code"] == "needs_sign_in"
    assert called_with(upstream) == [bearer(1), bearer(1)]
    rig.control.installations = dict.fromkeys(rig.control.installations, with_version(installation, 2))
    assert "isError" not in (await rig.call("t")).result


async def test_a_refusal_of_one_caller_is_not_told_to_another(rig: Rig, upstream: McpUpstream) -> None:
    installation = await serve(rig, upstream)
    first, second = rig.control.token(), rig.control.token()
    for token in (first, second):
        assert (await rig.call("t", token=token)).status == 200
    let = asyncio.Event()

    async def by_caller(question: InstallationQuestion) -> Renewed:
        if len(rig.control.renewals) > 1:
            return with_version(installation, 2)
        await let.wait()
        return InstallationRefusal("not_allowed", "This is not for you any more.")

    rig.control.renews = by_caller
    takes_only(upstream, 2)
    seen = len(upstream.seen)
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(rig.call("t", token=first)), group.create_task(rig.call("t", token=second))]
        await upstream.wait_until(lambda: len(upstream.seen) - seen >= 2)
        let.set()
    codes = [call.result().result.get("_meta", {}).get("archway/refusal", {}).get("code") for call in calls]
    assert sorted(codes, key=str) == [None, "not_allowed"]


@pytest.mark.parametrize("ends", [0.0, 4e9])
async def test_without_control_a_token_may_be_tried_again_soon_and_a_key_is_refused(
    rig: Rig, upstream: McpUpstream, ends: float
) -> None:
    installation = with_version(rig.control.installation(upstream.url), 1, expires_at=ends)
    await rig.serve([rig.control.tool("t", "echo", installation)])
    takes_only(upstream, 1)
    assert (await rig.call("t")).status == 200
    takes_only(upstream, 2)
    await rig.control.stop()
    try:
        reply = await rig.call("t")
    finally:
        await rig.control.start()
    assert reply.refusal["code"] == ("credential_unavailable" if ends else "upstream_credential")


CHALLENGE = 'Bearer error="insufficient_scope", scope="repo admin:org"'


async def test_scopes_that_a_server_asks_for_go_to_control_and_its_link_to_the_caller(
    rig: Rig, upstream: McpUpstream
) -> None:
    upstream.tool("narrow", Answer(status=403, raw=b"", headers={"WWW-Authenticate": CHALLENGE}))
    installation = with_version(rig.control.installation(upstream.url), 1)
    await rig.serve([rig.control.tool("t", "narrow", installation)])
    rig.control.renews = says(SIGN_IN)
    reply = await rig.call("t")
    assert (reply.refusal["code"], reply.refusal["link"]) == ("needs_sign_in", SIGN_IN.link)
    (asked,) = rig.control.renewals
    assert (asked.refused_version, asked.needed_scopes) == (0, ("repo", "admin:org"))
    assert called_with(upstream) == [bearer(1)]


async def test_a_server_that_does_not_name_the_scopes_that_it_wants_leads_to_a_sign_in_too(
    rig: Rig, upstream: McpUpstream
) -> None:
    """The Python SDK's servers answer so."""
    told = 'Bearer error="insufficient_scope", error_description="Required scope: repo"'
    upstream.tool("narrow", Answer(status=403, raw=b"", headers={"WWW-Authenticate": told}))
    await rig.serve([rig.control.tool("t", "narrow", with_version(rig.control.installation(upstream.url), 1))])
    rig.control.renews = says(SIGN_IN)
    assert (await rig.call("t")).refusal["code"] == "needs_sign_in"
    (asked,) = rig.control.renewals
    assert (asked.refused_version, asked.needed_scopes, asked.too_few_scopes) == (0, (), True)


@pytest.mark.parametrize("challenge", ["", "Bearer", 'Bearer error="invalid_token"', 'Bearer scope="repo"'])
async def test_a_server_that_forbids_without_a_word_on_scopes_is_the_end_of_it(
    rig: Rig, upstream: McpUpstream, challenge: str
) -> None:
    upstream.tool("narrow", Answer(status=403, raw=b"", headers={"WWW-Authenticate": challenge}))
    await rig.serve([rig.control.tool("t", "narrow", with_version(rig.control.installation(upstream.url), 1))])
    assert (await rig.call("t")).refusal["code"] == "upstream_credential"
    assert rig.control.renewals == []


async def test_after_a_step_up_the_same_call_goes_through(rig: Rig, upstream: McpUpstream) -> None:
    def by_token(received: Any) -> Answer:
        if received.headers["Authorization"] == bearer(2):
            return Answer(text="done")
        return Answer(status=403, raw=b"", headers={"WWW-Authenticate": CHALLENGE})

    upstream.tool("narrow", by_token)
    installation = with_version(rig.control.installation(upstream.url), 1)
    await rig.serve([rig.control.tool("t", "narrow", installation)])
    rig.control.renews = says(with_version(installation, 2))
    assert (await rig.call("t")).result["content"][0]["text"] == "done"
    assert called_with(upstream) == [bearer(1), bearer(2)]


async def test_a_token_is_used_until_shortly_before_it_ends(make_rig: MakeRig, upstream: McpUpstream) -> None:
    async with make_rig() as rig:
        first = with_version(rig.control.installation(upstream.url), 1, expires_at=time.time() + 7)
        tool = rig.control.tool("t", "echo", first)
        await rig.serve([tool])
        assert (await rig.call("t")).status == 200
        rig.control.installations[tool.assignment_id] = with_version(first, 2, expires_at=time.time() + 3600)

        async def is_the_next() -> bool:
            assert (await rig.call("t")).status == 200
            assert time.time() < first.expires_at or called_with(upstream)[-1] == bearer(2)
            return called_with(upstream)[-1] == bearer(2)

        await eventually(is_the_next)
        assert time.time() < first.expires_at, "well before its end"


async def test_a_token_that_has_ended_serves_nobody_though_control_is_away(
    make_rig: MakeRig, upstream: McpUpstream
) -> None:
    async with make_rig() as rig:
        ending = with_version(rig.control.installation(upstream.url), 1, expires_at=time.time() + 6)
        await rig.serve([rig.control.tool("t", "echo", ending)])
        assert (await rig.call("t")).status == 200
        await rig.control.stop()
        try:

            async def is_refused() -> bool:
                return "isError" in (await rig.call("t")).result

            await eventually(is_refused)
            assert (await rig.call("t")).refusal["code"] == "credential_unavailable"
        finally:
            await rig.control.start()


async def test_a_result_that_looks_refused_starts_a_renewal_and_no_second_run(
    rig: Rig, upstream: McpUpstream
) -> None:
    upstream.tool("api", Answer(text="GitHub API error: 401 Bad credentials", is_error=True))
    first = with_version(rig.control.installation(upstream.url), 1)
    tool = rig.control.tool("t", "api", first)
    await rig.serve([tool])
    second = with_version(first, 2)
    rig.control.renews = says(second)
    for _ in range(3):
        assert (await rig.call("t")).result["isError"]

    async def is_renewed() -> bool:
        return (await rig.call("t")).result["isError"] and called_with(upstream)[-1] == bearer(2)

    await eventually(is_renewed)
    assert [one.refused_version for one in rig.control.renewals] == [1]
    assert len(called_with(upstream)) == len(upstream.seen_of("tools/call", tool="api"))


async def test_a_result_that_fails_otherwise_starts_nothing(rig: Rig, upstream: McpUpstream) -> None:
    upstream.tool("api", Answer(text="404 Not Found", is_error=True))
    await rig.serve([rig.control.tool("t", "api", with_version(rig.control.installation(upstream.url), 1))])
    assert (await rig.call("t")).result["isError"]
    assert rig.worker.installations.renewals.questions == 0
