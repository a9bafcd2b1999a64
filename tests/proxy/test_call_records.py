"""Records of calls: what they say, where they go, and what happens while Redis is away."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from core import redis_names
from core.identifiers import new_id
from core.records import BATCH_PURPOSE, Batch, CallRecord, read_batch
from core.sealing import Sealer
from core.snapshot import Visibility
from core.tasks import Tasks
from core.tokens import digest, new_token
from proxy.records.at_the_door import AT_ONCE
from tests.fakes.call_records import whole_records
from tests.fakes.issuers import FakeIssuer
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fixtures_redis import RedisServer
from tests.proxy.conftest import Rig, eventually, running_rig


def batches(rig: Rig) -> list[Batch]:
    """What control would find on the stream."""
    sealer = Sealer(rig.control.ring, BATCH_PURPOSE)
    with rig.redis.client() as redis:
        found: Any = redis.xrange(redis_names.RECORDS)
    opened = []
    for _, fields in found:
        worker, number = fields[b"w"].decode(), fields[b"n"].decode()
        batch = read_batch(sealer.open(fields[b"b"], worker, number))
        assert (batch.worker, str(batch.number)) == (worker, number)
        opened.append(batch)
    return opened


def records(rig: Rig) -> list[CallRecord]:
    return [record for batch in batches(rig) for record in whole_records(batch)]


async def arrived(rig: Rig, count: int) -> list[CallRecord]:
    async def all_there() -> bool:
        return len(await asyncio.to_thread(records, rig)) >= count

    await eventually(all_there)
    return records(rig)


async def test_a_search_for_tools_has_a_record_of_its_own_without_its_words(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:
        connection = rig.control.installation(server.url)
        await rig.serve([rig.control.tool("shown", "t", connection)], tool_loading="search_and_run")
        await rig.call("search_tools", {"query": "something secret"})

        (record,) = await arrived(rig, 1)
        assert (record.tool, record.method, record.status) == ("search_tools", "tools/call", "ok")
        assert "secret" not in repr(record)


async def test_a_record_says_who_called_what_with_which_credential_and_how_it_ended(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:
        server.tool("t", Answer(text="fine"))
        connection = rig.control.installation(
            server.url, version=7, owner="team:x", installation="Work", account="octocat"
        )
        gateway = await rig.serve([rig.control.tool("shown", "t", connection)])
        arguments = {"b": 1, "a": [2]}

        reply = await rig.call("shown", arguments, meta={"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"})

        (record,) = await arrived(rig, 1)
        verdict = rig.control.verdicts[digest(rig.token)]
        assert verdict.principal is not None
        assert record.request_id == {name.lower(): value for name, value in reply.headers.items()}["x-request-id"]
        assert record.principal == f"user:{verdict.principal.id}"
        assert (record.auth, record.token_id, record.client) == ("token", verdict.credential_id, "test 1")
        assert (record.gateway_id, record.gateway_revision) == (gateway.id, 1)
        assert (record.tool, record.method) == ("shown", "tools/call")
        assert (record.entry_id, record.installation_id) == (connection.entry_id, connection.installation_id)
        assert (record.installation_owner, record.credential_version) == ("team:x", 7)
        assert record.account == "octocat"
        acted = {"installation": "Work", "owner": "team:x", "account": "octocat"}
        assert reply.result["_meta"]["archway/account"] == acted
        assert (record.decision, record.status) == ("allowed", "ok")
        assert record.arguments_sha256 == hashlib.sha256(b'{"a":[2],"b":1}').hexdigest()
        assert record.trace_id == "a" * 32
        assert record.address == "127.0.0.1"
        assert record.bytes_out == len(reply.body)
        assert record.bytes_in > 100
        assert record.duration_ms > 0
        assert b"[2]" not in orjson.dumps(msgspec.to_builtins(record))


async def test_every_end_of_a_call_leaves_one_record(rig: Rig) -> None:
    async with McpUpstream(era="modern") as server:
        server.tool("ok", Answer(text="x"))
        server.tool("bad", Answer(text="x", is_error=True))
        server.tool("cut", Answer(cut=True))
        server.tool("held", Answer(hold=asyncio.Event()))
        connection = rig.control.installation(server.url)
        await rig.serve([rig.control.tool(name, name, connection) for name in ("ok", "bad", "cut", "held")])
        for name in ("ok", "bad", "cut", "unknown"):
            await rig.call(name)
        await rig.modern("tools/call", {"name": "ok", "arguments": []})
        caller = Tasks("test").spawn("caller", rig.call("held"))
        await server.wait_for("tools/call", tool="held")
        caller.cancel()

        ended = [(record.status, record.decision) for record in await arrived(rig, 6)]

        assert ended == [
            ("ok", "allowed"),
            ("tool_error", "allowed"),
            ("upstream_broken", "allowed"),
            ("tool_unknown", "refused"),
            ("wrong_message", "refused"),
            ("cancelled", "allowed"),
        ]


async def test_batches_are_numbered_without_holes(rig: Rig, upstream: McpUpstream) -> None:
    await rig.serve([rig.control.tool("t", "echo", rig.control.installation(upstream.url))])
    for _ in range(3):
        await rig.call("t")
        await rig.worker.deps.records.flush()

    assert [batch.number for batch in batches(rig)] == [1, 2, 3]
    assert {batch.worker for batch in batches(rig)} == {rig.worker.deps.records.worker}


async def test_records_wait_in_the_spool_while_redis_is_away(
    breakable_redis: RedisServer, way: str, upstream: McpUpstream, tmp_path: Path
) -> None:
    async with running_rig(breakable_redis, way, disk_cache=str(tmp_path / "disk")) as rig:
        await rig.serve([rig.control.tool("t", "echo", rig.control.installation(upstream.url))])
        await rig.call("t")
        await arrived(rig, 1)
        breakable_redis.kill()
        for _ in range(4):
            assert (await rig.call("t")).result["content"]
            await rig.worker.deps.records.flush()
        assert list((tmp_path / "disk" / "records").glob("*.batch"))

        await asyncio.to_thread(breakable_redis.start)

        assert len(await arrived(rig, 4)) == 4
        async with asyncio.timeout(30):  # a file is gone a moment after its records are there
            while list((tmp_path / "disk" / "records").glob("*.batch")):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)


async def test_what_fits_nowhere_is_counted(breakable_redis: RedisServer, way: str, upstream: McpUpstream) -> None:
    async with running_rig(breakable_redis, way) as rig:
        await rig.serve([rig.control.tool("t", "echo", rig.control.installation(upstream.url))])
        await rig.call("t")
        await arrived(rig, 1)
        breakable_redis.kill()
        for _ in range(3):
            await rig.call("t")
        await rig.worker.deps.records.flush()
        await asyncio.to_thread(breakable_redis.start)
        await asyncio.sleep(1.1)  # until the breaker tries again

        await rig.call("t")
        await arrived(rig, 1)

        assert sum(batch.dropped for batch in batches(rig)) == 3


async def test_a_gateway_that_demands_records_refuses_what_it_cannot_record(
    breakable_redis: RedisServer, way: str, upstream: McpUpstream
) -> None:
    async with running_rig(breakable_redis, way) as rig:
        connection = rig.control.installation(upstream.url)
        await rig.serve([rig.control.tool("t", "echo", connection)], audit_required=True)
        await rig.serve([rig.control.tool("t", "echo", connection)], slug="other")
        assert (await rig.call("t")).result["content"]
        assert (await rig.call("t", gateway="other")).result["content"]
        assert next(record.status for record in records(rig)) == "ok"  # there before the caller had the answer
        breakable_redis.kill()

        first = await rig.call("t")  # Redis is not known to be away yet: called, and the answer kept back
        codes = [first.refusal["code"]]
        called = len(upstream.seen_of("tools/call"))
        codes += [(await rig.call("t")).refusal["code"] for _ in range(3)]

        assert set(codes) == {"audit_unavailable"}
        assert len(upstream.seen_of("tools/call")) <= called + 2
        assert (await rig.call("t", gateway="other")).result["content"]


async def test_a_result_that_was_streamed_is_kept_back_too(breakable_redis: RedisServer, way: str) -> None:
    async with running_rig(breakable_redis, way) as rig, McpUpstream(era="modern") as server:
        held = asyncio.Event()
        server.tool("t", Answer(text="secret", progress=1, hold=held))
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url))], audit_required=True)
        caller = Tasks("test").spawn("caller", rig.call("t", meta={"progressToken": 1}))
        await server.wait_for("tools/call")
        breakable_redis.kill()
        held.set()

        events = (await caller).events

        assert [event.get("id") for event in events] == [None, 1]
        assert events[1]["result"]["_meta"]["archway/refusal"]["code"] == "audit_unavailable"
        assert "secret" not in str(events)


async def test_with_a_spool_such_a_gateway_goes_on(
    breakable_redis: RedisServer, way: str, upstream: McpUpstream, tmp_path: Path
) -> None:
    async with running_rig(breakable_redis, way, disk_cache=str(tmp_path)) as rig:
        await rig.serve([rig.control.tool("t", "echo", rig.control.installation(upstream.url))], audit_required=True)
        await rig.call("t")
        breakable_redis.kill()

        for _ in range(5):
            assert (await rig.call("t")).result["content"][0]["text"] == "{}"


async def test_a_refused_call_tells_the_sentence_that_its_caller_got(rig: Rig, upstream: McpUpstream) -> None:
    await rig.serve([rig.control.tool("t", "echo", rig.control.installation(upstream.url))])
    await rig.call("t")
    await rig.call("nope")
    await rig.modern("tools/call", {"name": "t", "arguments": []})

    well, unknown, wrong = await arrived(rig, 3)

    assert well.reason == ""
    assert unknown.reason == "Unknown tool: nope"
    assert wrong.reason != ""


async def test_a_known_caller_who_is_refused_at_the_door_leaves_a_record(rig: Rig, upstream: McpUpstream) -> None:
    gateway = await rig.serve([rig.control.tool("t", "echo", rig.control.installation(upstream.url))])
    hidden = rig.control.gateway("hidden", [], visibility=Visibility("teams", teams=[new_id()]))
    await rig.control.publish(hidden)
    assert (await rig.modern("tools/list")).status == 200
    for name in ("hidden", "nowhere"):
        assert (await rig.modern("tools/list", gateway=name)).status == 404
    api_token = rig.control.token_for_api()
    assert (await rig.modern("tools/list", token=api_token)).status == 403
    assert (await rig.legacy("tools/list", session="x" * 40)).status == 404

    ended = await arrived(rig, 4)

    assert [(one.status, one.decision, one.gateway_id, one.gateway_asked) for one in ended] == [
        ("gateway_unknown", "refused", hidden.id, "hidden"),
        ("gateway_unknown", "refused", "", "nowhere"),
        ("token_for_api", "refused", gateway.id, "g"),
        ("session_unknown", "refused", gateway.id, ""),
    ]
    known, kept_out = rig.control.verdicts[digest(rig.token)], rig.control.verdicts[digest(api_token)]
    assert known.principal is not None
    assert kept_out.kept_out is not None
    assert [(one.principal, one.token_id) for one in ended] == [
        (known.principal.key, known.credential_id),
        (known.principal.key, known.credential_id),
        (kept_out.kept_out.key, kept_out.credential_id),
        (known.principal.key, known.credential_id),
    ]
    assert all(one.reason and one.address == "127.0.0.1" for one in ended)
    assert [one.method for one in ended] == ["", "", "", "tools/list"]  # of what was read by then


@pytest.mark.parametrize("credential", ["Bearer {unknown}", "Bearer arch_x", ""])
async def test_a_stranger_who_is_refused_at_the_door_leaves_none(rig: Rig, credential: str) -> None:
    await rig.serve([])
    for _ in range(3):
        headers = {"Authorization": credential.format(unknown=new_token())}
        assert (await rig.modern("tools/list", headers=headers)).status == 401
    assert rig.worker.deps.records.kept == 0


async def test_one_caller_who_is_refused_over_and_over_fills_no_table_and_the_rest_is_counted(
    rig: Rig, upstream: McpUpstream
) -> None:
    await rig.serve([rig.control.tool("t", "echo", rig.control.installation(upstream.url))])
    other = rig.control.token()
    for _ in range(AT_ONCE + 20):
        assert (await rig.modern("tools/list", gateway="nowhere")).status == 404
    assert (await rig.modern("tools/list", gateway="nowhere", token=other)).status == 404
    await rig.call("t")

    ended = [one.status for one in await arrived(rig, AT_ONCE + 2)]

    assert ended == ["gateway_unknown"] * (AT_ONCE + 1) + ["ok"]


async def test_a_call_that_is_refused_for_want_of_room_leaves_one_record(rig: Rig, upstream: McpUpstream) -> None:
    """Once it runs, its own record says so; before, the door's does."""
    await rig.serve([rig.control.tool("t", "echo", rig.control.installation(upstream.url))])
    verdict = rig.control.verdicts[digest(rig.token)]
    assert verdict.principal is not None
    usage, most = rig.worker.deps.usage, rig.worker.deps.settings.calls_in_flight
    assert usage.running.take(verdict.principal.key, most // 4, most=most, share=most)
    assert (await rig.call("t")).status == 503

    (one,) = await arrived(rig, 1)

    assert (one.status, one.method, one.decision) == ("overloaded", "tools/call", "refused")


@pytest.mark.parametrize("way", ["oauth", "id_jag"])
async def test_a_record_of_a_call_by_an_access_token_names_its_grant_and_holds_no_token(
    rig: Rig, upstream: McpUpstream, way: str
) -> None:
    issuer = FakeIssuer("http://127.0.0.1:8080", kind="own")
    rig.control.knows(issuer)
    tools = [rig.control.tool("t", "echo", rig.control.installation(upstream.url))]
    await rig.serve(tools, client_auth_beside=[way])
    jwt = issuer.token(aud="http://127.0.0.1:8080/v1/mcp/g")
    principal = rig.control.bears(jwt, credential_id="grant-1", by_assertion=way == "id_jag")
    for _ in range(2):
        assert (await rig.call("t", token=jwt)).status == 200
    for record in await arrived(rig, 2):
        assert (record.auth, record.token_id, record.principal) == (way, "grant-1", principal.key)
        assert jwt not in repr(record)


async def test_a_legacy_caller_is_told_which_account_acted(rig: Rig, upstream: McpUpstream) -> None:
    upstream.tool("t", Answer(text="fine", meta={"archway/account": {"account": "of the server's making"}}))
    held = rig.control.installation(upstream.url, owner="user:ann", installation="Work", account="octocat")
    await rig.serve([rig.control.tool("t", "t", held)])
    session = await rig.open_session()
    reply = await rig.legacy("tools/call", {"name": "t", "arguments": {}}, session=session)
    acted = {"installation": "Work", "owner": "user:ann", "account": "octocat"}
    assert reply.result["_meta"] == {"archway/account": acted}
