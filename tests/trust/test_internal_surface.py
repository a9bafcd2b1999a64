"""What is ours alone: internal routes and headers, and what a failure of ours shows (rows P-5, X-8)."""

import asyncio
import json
import logging
import os
import resource
import sys
import time
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest

from core.internal_call import InternalCalls
from core.keys import new_key, parse_key_ring
from core.probes import Probe, ProbeQuestion
from tests.fakes.mcp_upstream import McpUpstream
from tests.fakes.raw_http import RawAnswer, exchange, request_bytes
from tests.proxy.conftest import Rig

ROOT = Path(__file__).parents[2]
PROBE = "/internal/probe"
OUR_WORDS = "a-word-of-ours-0123456789"


async def ask_inside(rig: Rig, authorization: str | None, body: bytes, *, path: str = PROBE) -> RawAnswer:
    headers = [("Host", "127.0.0.1"), *([("Authorization", authorization)] if authorization else [])]
    return await exchange(rig.internal_port, request_bytes("POST", path, headers, body))


def question(upstream: McpUpstream, rig: Rig) -> bytes:
    return msgspec.msgpack.encode(ProbeQuestion(rig.control.installation(upstream.url)))


async def test_control_with_its_proof_is_answered(rig: Rig, upstream: McpUpstream) -> None:
    """What the refusals of P-5 are made from: the same question with a right proof."""
    calls = InternalCalls(rig.control.ring, caller="control", answerer="proxy")
    body = question(upstream, rig)
    proof, call_id = calls.mint("POST", PROBE, body)

    answer = await ask_inside(rig, proof, body)

    assert answer.status == 200
    probe = msgspec.msgpack.decode(calls.open_answer(call_id, answer.body), type=Probe)
    assert probe.fault == ""
    assert [tool["name"] for tool in probe.tools] == ["echo"]


def wrong_proof(kind: str, rig: Rig, body: bytes) -> str | None:
    calls = InternalCalls(rig.control.ring, caller="control", answerer="proxy")
    if kind == "audience":
        return InternalCalls(rig.control.ring, caller="proxy", answerer="control").mint("POST", PROBE, body)[0]
    if kind == "purpose":
        return calls.mint("POST", "/internal/explain", body)[0]
    if kind == "body":
        return calls.mint("POST", PROBE, body + b"x")[0]
    if kind == "age":
        # A minute more, as two hosts' clocks may differ.
        with patch("core.internal_call.time.time", return_value=time.time() - 30 - 61):
            return calls.mint("POST", PROBE, body)[0]
    if kind == "key":
        stranger = parse_key_ring("other", new_key())
        return InternalCalls(stranger, caller="control", answerer="proxy").mint("POST", PROBE, body)[0]
    return {"none": None, "token": f"Bearer {rig.token}"}[kind]


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("none", id="P-5: no proof"),
        pytest.param("audience", id="P-5: proof for another audience"),
        pytest.param("purpose", id="P-5: proof for another purpose"),
        pytest.param("body", id="P-5: proof for another body"),
        pytest.param("age", id="P-5: proof past 30 s"),
        "key",
        "token",
    ],
)
async def test_nobody_else_is_answered_inside(rig: Rig, upstream: McpUpstream, kind: str) -> None:
    body = question(upstream, rig)

    answer = await ask_inside(rig, wrong_proof(kind, rig, body), body)

    assert (answer.status, answer.body) == (403, b"")
    assert upstream.seen == []


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/internal/probe", id="P-5: /internal on the public listener"),
        pytest.param("/internal/gateway", id="P-5: snapshot feed"),
        "/internal/token",
        "/internal/index",
    ],
)
async def test_internal_paths_are_not_on_the_public_listener(rig: Rig, upstream: McpUpstream, path: str) -> None:
    await rig.serve([])
    body = question(upstream, rig)
    asked = len(rig.control.asked)
    for proof in (
        InternalCalls(rig.control.ring, caller="control", answerer="proxy").mint("POST", path, body)[0],
        InternalCalls(rig.control.ring, caller="proxy", answerer="control").mint("POST", path, body)[0],
        f"Bearer {rig.token}",
    ):
        headers = [("Host", "127.0.0.1"), ("Authorization", proof)]
        answer = await exchange(rig.port, request_bytes("POST", path, headers, body))
        assert answer.status == 404
    assert upstream.seen == []
    assert rig.control.asked[asked:] == []


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("X-Internal-Authority", id="P-5: X-Internal headers"),
        "X-Internal-Principal",
        "X-Archway-Upstream",
        "Archway-Internal",
    ],
)
async def test_an_internal_looking_header_changes_and_reaches_nothing(
    rig: Rig, upstream: McpUpstream, name: str
) -> None:
    await rig.serve([rig.control.tool("echo", "echo", rig.control.installation(upstream.url))])
    proof, _ = InternalCalls(rig.control.ring, caller="control", answerer="proxy").mint("POST", "/v1/mcp/g", b"")

    served = await rig.call("echo", headers={name: "elsewhere.example"})
    refused = await rig.call("echo", headers={name: "control", "Authorization": proof})

    assert served.status == 200
    assert refused.status == 401
    (seen,) = upstream.seen_of("tools/call")
    assert name.lower() not in {key.lower() for key in seen.headers}


async def crash(*_: object, **__: object) -> None:
    raise RuntimeError(OUR_WORDS)


@pytest.mark.parametrize(
    ("part", "attribute", "method"),
    [
        pytest.param("upstreams", "call", "tools/call", id="X-8: crash"),
        pytest.param("installations", "known", "tools/call", id="X-8: traceback to a caller"),
        ("gateways", "held", "tools/call"),
        ("authority", "known", "tools/list"),
        ("slots", "add", "tools/list"),
    ],
)
async def test_a_bug_shows_the_caller_a_request_id_and_nothing_else(
    rig: Rig, upstream: McpUpstream, part: str, attribute: str, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    rig.prepared = None  # it breaks with the first call
    await rig.serve([rig.control.tool("echo", "echo", rig.control.installation(upstream.url))])
    params = {"name": "echo", "arguments": {}} if method == "tools/call" else {}

    def crash_at_once(*_: object, **__: object) -> None:
        raise RuntimeError(OUR_WORDS)

    broken = getattr(rig.worker.deps, part)
    with patch.object(type(broken), attribute, crash if attribute == "call" else crash_at_once):
        reply = await rig.modern(method, params)

    request_id = {name.lower(): value for name, value in reply.headers.items()}["x-request-id"]
    assert reply.error == {
        "code": -32603,
        "message": "Internal error.",
        "data": {"request_id": request_id},
    }
    assert set(reply.json) == {"jsonrpc", "id", "error"}
    told = str(reply.headers) + reply.body.decode()
    assert OUR_WORDS not in told
    assert "Traceback" not in told
    logged = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.request_id for record in logged] == [request_id]  # type: ignore[attr-defined]
    assert OUR_WORDS in str(logged[0].exc_info)


@pytest.mark.parametrize("path", [pytest.param("/debug", id="X-8: /debug"), "/debug/pprof", "/_debug", "/console"])
async def test_there_is_nothing_to_debug_with_from_outside(rig: Rig, path: str) -> None:
    await rig.serve([])
    for port in (rig.port, rig.internal_port):
        for method in ("GET", "POST"):
            headers = [("Host", "127.0.0.1"), ("Authorization", f"Bearer {rig.token}")]
            answer = await exchange(port, request_bytes(method, path, headers))
            assert answer.status == 404


@pytest.mark.parametrize("host", [pytest.param("127.0.0.1", id="X-8: core dumps")])
async def test_a_worker_that_dies_leaves_no_core_dump(rig: Rig, host: str) -> None:
    """Its memory holds every credential it has used."""
    environment = {
        "PATH": os.environ["PATH"],
        "ARCHWAY_REDIS_URL": rig.redis.url,
        "ARCHWAY_CONTROL_INTERNAL_URL": rig.control.url,
        "ARCHWAY_PROXY_KEY": rig.control.proxy_key,
        "ARCHWAY_VERIFY_KEYS": rig.control.signer.public_keys,
        "ARCHWAY_PUBLIC_URL": "http://127.0.0.1:8080",
        "ARCHWAY_PROXY_LISTEN": f"{host}:0",
        "ARCHWAY_PROXY_INTERNAL_LISTEN": f"{host}:0",
    }
    raised = 'ulimit -c "$(ulimit -H -c)"; exec "$0" -m proxy.worker'
    worker = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", raised, sys.executable, cwd=ROOT, env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert worker.stderr is not None
        while json.loads(await worker.stderr.readline())["event"] != "proxy worker serves":
            pass
        assert resource.prlimit(worker.pid, resource.RLIMIT_CORE) == (0, 0)
    finally:
        worker.terminate()
        await worker.stderr.read()
        assert await asyncio.wait_for(worker.wait(), 30) == 0
