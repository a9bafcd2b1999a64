"""Secrets stay where they belong (row X-1): each is sent through a running proxy, on good paths and bad ones.

The canary plugin then looks for them in the logs, in what is added here (error bodies, everything in Redis, the
counting file, the log of a process), and in the command line of every process.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core import redis_names
from core.caller_statements import StatementSigner
from core.keys import new_key, parse_key_ring
from core.records import BATCH_PURPOSE
from core.sealing import Sealer
from core.snapshot import TokenIssuer
from core.tokens import new_token
from proxy.telemetry.exposition import render
from tests.fakes.issuers import FakeIssuer
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fixtures_redis import RedisServer, everything_in
from tests.plugins.secret_canaries import Canaries, Sinks
from tests.proxy.conftest import MakeRig, Reply, Rig, eventually, settings_for


@pytest.fixture
def counting_file(tmp_path: Path) -> Path:
    return tmp_path / "slots"


@pytest.fixture
def watched(sinks: Sinks, redis_server: RedisServer, counting_file: Path) -> Iterator[Sinks]:
    readers = {
        "Redis": lambda: everything_in(redis_server),
        "the counting file": lambda: counting_file.read_bytes() + render([counting_file]),
    }
    for name, read in readers.items():
        sinks.add(name, read)
    yield sinks
    for name in readers:
        sinks.remove(name)


@pytest.fixture
async def rig(make_rig: MakeRig, counting_file: Path, tmp_path: Path) -> AsyncIterator[Rig]:
    async with make_rig(metrics_file=str(counting_file), call_seconds=1.0, max_body=1 << 18) as running:
        running.prepared = None  # its gateway waits for records, of which prepared calls leave none
        yield running


@asynccontextmanager
async def bad_and_good_tools(rig: Rig, **connection: Any) -> AsyncIterator[McpUpstream]:
    """Servers that answer and servers that fail in every way; `good` is the one tool that works."""
    wrong = {
        "status": Answer(status=500),
        "refused": Answer(status=401, headers={"WWW-Authenticate": "Bearer"}),
        "error": Answer(error=(-32603, "no")),
        "broken": Answer(raw=b"{", headers={"Content-Type": "application/json"}),
        "asks": Answer(result={"resultType": "input_required"}),
        "cut": Answer(cut=True),
        "moved": Answer(status=307, headers={"Location": "/elsewhere"}),
    }
    async with McpUpstream(era="both") as server:
        server.tool("good", Answer(text="fine", progress=1))
        for name, answer in wrong.items():
            server.tool(name, answer)
        names = ["good", *wrong]
        tools = [rig.control.tool(name, name, rig.control.installation(server.url, **connection)) for name in names]
        nobody = rig.control.installation("http://127.0.0.1:1/mcp", **connection)
        nowhere = rig.control.installation("http://10.0.0.1/mcp", **connection)
        unsendable = rig.control.installation(server.url, **{"credential_headers": [("x-key", "\xe4")]} | connection)
        tools += [rig.control.tool("nobody", "x", nobody), rig.control.tool("nowhere", "x", nowhere)]
        tools += [rig.control.tool("unsendable", "x", unsendable)]
        await rig.serve(tools, header_allowlist=["x-passed"], audit_required=True)
        yield server


async def every_path(rig: Rig, watched: Sinks, *, arguments: dict[str, Any], **more: Any) -> None:
    """All tools by callers of both eras, wrong messages, wrong gateways; what came back is looked through."""
    session = await rig.open_session(**more)
    tools = rig.control.gateways[next(iter(rig.control.gateways))].tools
    replies: list[Reply] = []
    for name in [*(tool.exposed for tool in tools), "unknown"]:
        params = {"name": name, "arguments": arguments}
        replies += [
            await rig.call(name, arguments, meta={"progressToken": 1}, **more),
            await rig.legacy("tools/call", params, session=session, **more),
        ]
    wrong = {"name": "good", "arguments": [arguments]}
    replies += [
        await rig.modern("tools/call", wrong, **more),
        await rig.modern("no/such", arguments, **more),
        await rig.legacy("tools/call", wrong, session="none", **more),
        await rig.post([arguments], **more),
        await rig.post(arguments, **more),
        await rig.call("good", arguments, gateway="other", **more),
        await rig.call("good", arguments | {"more": "x" * (1 << 19)}, **more),
    ]
    for reply in replies:
        watched.feed("an answer", reply.body + repr(reply.headers).encode())
    assert sum(b'"isError":true' in reply.body for reply in replies) >= 16
    assert any(b"Internal error" in reply.body for reply in replies)
    await rig.worker.deps.records.flush()
    watched.feed("a record of a call", opened_records(rig))


def opened_records(rig: Rig) -> bytes:
    """What control will find in the batches, which are sealed."""
    sealer = Sealer(rig.control.ring, BATCH_PURPOSE)
    with rig.redis.client() as redis:
        entries: Any = redis.xrange(redis_names.RECORDS)
    assert entries
    return b"\n".join(
        sealer.open(fields[b"b"], fields[b"w"].decode(), fields[b"n"].decode()) for _, fields in entries
    )


@pytest.mark.parametrize("_row", [pytest.param(0, id="X-1: bearer")])
async def test_a_bearer_is_nowhere_but_in_the_request(rig: Rig, canary: Canaries, watched: Sinks, _row: int) -> None:
    canary.watch("known token", rig.token)
    unknown = new_token()
    canary.watch("unknown token", unknown)
    async with bad_and_good_tools(rig):
        await every_path(rig, watched, arguments={})
        for value in (
            f"Bearer {unknown}",
            f"bearer  {rig.token}",
            f"Bearer {rig.token}x",
            f"Basic {rig.token}",
            f"Bearer {canary('malformed')}",
            canary("no scheme"),
        ):
            reply = await rig.call("good", headers={"Authorization": value})
            assert reply.status == 401
            watched.feed("an answer", reply.body + repr(reply.headers).encode())
        await rig.control.revoke(rig.token)
        watched.feed("an answer", (await rig.call("good")).body)


@pytest.mark.parametrize("_row", [pytest.param(0, id="X-1: signed token")])
async def test_a_signed_token_is_nowhere_but_in_the_request_and_sealed_for_control(
    make_rig: MakeRig, canary: Canaries, watched: Sinks, counting_file: Path, tmp_path: Path, _row: int
) -> None:
    issuer, disk = FakeIssuer("https://idp.example", provider_id="p1"), tmp_path / "disk"
    token, of_nobody = issuer.token(aud="api://archway"), issuer.token(aud="api://archway")
    for name, one in (("token", token), ("token of nobody", of_nobody)):
        _, claims, signature = one.split(".")
        canary.watch(f"claims of the {name}", claims)
        canary.watch(f"signature of the {name}", signature)
    taken = {"client_auth_beside": ["jwt"], "identity_provider": TokenIssuer("p1", issuer.name, "api://archway")}
    with pytest.MonkeyPatch.context() as patched:
        async with make_rig(metrics_file=str(counting_file), call_seconds=1.0, disk_cache=str(disk)) as rig:
            rig.prepared = None  # as in `rig`
            rig.control.knows(issuer)
            rig.control.bears(token, auth="jwt", client="")
            check = rig.control._calls.check

            def overheard(authorization: str, method: str, path: str, body: bytes) -> str:
                watched.feed("a question to control", body)
                asked.append(path)
                return check(authorization, method, path, body)

            asked: list[str] = []
            patched.setattr(rig.control._calls, "check", overheard)
            async with bad_and_good_tools(rig) as server:
                (held,) = rig.control.gateways.values()
                await rig.serve(held.tools, audit_required=True, **taken)
                await every_path(rig, watched, arguments={}, token=token)
                assert {"/internal/token", "/internal/connection"} <= {*asked}
                assert server.seen_of("tools/call", tool="good")
                for seen in server.seen:
                    watched.feed("what a server was sent", repr(seen.headers).encode() + seen.raw)
            watched.feed("the identifier of a session", await rig.open_session(token=token))
            rig.control.down = True
            refused = await rig.call("good", token=of_nobody)
            assert refused.status == 503
            watched.feed("an answer", refused.body + repr(refused.headers).encode())
    kept = [file for file in disk.rglob("*") if file.is_file()]
    assert kept
    for file in kept:
        watched.feed("a copy on disk", file.read_bytes())


@pytest.mark.parametrize("_row", [pytest.param(0, id="X-1: header value")])
async def test_values_of_headers_are_nowhere_but_at_the_upstream(
    rig: Rig, canary: Canaries, watched: Sinks, _row: int
) -> None:
    credential, fixed, passed, other = (canary(name) for name in ("credential", "fixed", "passed", "not passed"))
    secrets = {
        "credential_headers": [("authorization", f"Bearer {credential}"), ("x-key", credential + "\xe4")],
        "fixed_headers": [("x-fixed", fixed)],
    }
    sendable = secrets | {"credential_headers": [("authorization", f"Bearer {credential}")]}
    sent = {"X-Passed": passed, "X-Other": other, "Cookie": f"session={other}"}
    async with bad_and_good_tools(rig, **sendable) as server:
        unsendable = rig.control.tool("bad-value", "x", rig.control.installation(server.url, **secrets))
        tools = rig.control.gateways[next(iter(rig.control.gateways))].tools
        await rig.serve([*tools, unsendable], header_allowlist=["x-passed"])
        await every_path(rig, watched, arguments={}, headers=sent)

        got = server.seen_of("tools/call")[0].headers
        assert (got["Authorization"], got["X-Fixed"], got["X-Passed"]) == (f"Bearer {credential}", fixed, passed)


@pytest.mark.parametrize("_row", [pytest.param(0, id="X-1: statement about a caller")])
async def test_a_statement_about_a_caller_is_nowhere_but_at_the_upstream(
    make_rig: MakeRig, canary: Canaries, watched: Sinks, counting_file: Path, tmp_path: Path, _row: int
) -> None:
    signer, disk = StatementSigner(parse_key_ring("K", new_key()), "https://archway.example"), tmp_path / "disk"
    statement, ends = signer.statement({"sub": "user:1", "aud": "https://crm.example"}, time.time())
    _, claims, signature = statement.split(".")
    canary.watch("claims of the statement", claims)
    canary.watch("signature of the statement", signature)
    said = {"statement_headers": [("x-archway-caller", statement)], "expires_at": ends}
    async with make_rig(metrics_file=str(counting_file), call_seconds=1.0, disk_cache=str(disk)) as rig:
        rig.prepared = None  # as in `rig`
        async with bad_and_good_tools(rig, **said) as server:
            await every_path(rig, watched, arguments={})
            assert server.seen_of("tools/call", tool="good")[0].headers["X-Archway-Caller"] == statement
    kept = [file for file in disk.rglob("*") if file.is_file()]
    assert kept
    for file in kept:
        watched.feed("a copy on disk", file.read_bytes())


@pytest.mark.parametrize("_row", [pytest.param(0, id="X-1: tool argument")])
async def test_arguments_are_nowhere_but_at_the_upstream(
    rig: Rig, canary: Canaries, watched: Sinks, _row: int
) -> None:
    secret = canary("argument")
    async with bad_and_good_tools(rig) as server:
        await every_path(rig, watched, arguments={"password": secret, "deep": [{"er": secret}]})

        assert server.seen_of("tools/call")[0].arguments["password"] == secret


@pytest.mark.parametrize("_row", [pytest.param(0, id="X-1: environment")])
async def test_secrets_of_the_environment_stay_in_the_process(
    rig: Rig, canary: Canaries, watched: Sinks, tmp_path: Path, _row: int
) -> None:
    """A worker as a process of its own, at log level DEBUG, with an upstream proxy that has a password."""
    settings = settings_for(rig.control, rig.redis.url)
    egress = canary("password of the upstream proxy")
    canary.watch("proxy key", settings.proxy_key)
    canary.watch("password of Redis", rig.redis.url.split(":")[2].split("@")[0])
    environment = os.environ | {
        "ARCHWAY_REDIS_URL": settings.redis_url,
        "ARCHWAY_CONTROL_INTERNAL_URL": rig.control.url,
        "ARCHWAY_PROXY_KEY": settings.proxy_key,
        "ARCHWAY_VERIFY_KEYS": settings.verify_keys,
        "ARCHWAY_PUBLIC_URL": settings.public_url,
        "ARCHWAY_PROXY_LISTEN": "127.0.0.1:0",
        "ARCHWAY_PROXY_INTERNAL_LISTEN": "127.0.0.1:0",
        "ARCHWAY_LOG_LEVEL": "DEBUG",
        "HTTPS_PROXY": f"http://user:{egress}@127.0.0.1:1",
    }
    async with bad_and_good_tools(rig):
        log = await worker_process(environment, tmp_path / "log", rig, watched)
        assert '"proxy worker serves"' in log
        watched.feed("the log of a worker", log)
    for name, wrong in bad_environments(canary).items():
        ended = await asyncio.to_thread(run_worker, environment | {name: wrong})
        assert ended.returncode not in {0, None}
        assert name.encode() in ended.stderr
        watched.feed("the last words of a worker", ended.stdout + ended.stderr)


def bad_environments(canary: Canaries) -> dict[str, str]:
    """A secret that is there but wrong: the start names the variable, never the value."""
    return {
        "ARCHWAY_PROXY_KEY": f"{canary('short key')},{new_key()}",
        "HTTPS_PROXY": f"nonsense://user:{canary('a proxy password')}@",
    }


def run_worker(environment: dict[str, str]) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "proxy.worker"], env=environment, capture_output=True, timeout=90, check=False
    )


async def worker_process(environment: dict[str, str], log: Path, rig: Rig, watched: Sinks) -> str:
    """Run a worker, let calls through it fail, stop it; its log."""
    process = started(environment, log)
    try:
        await eventually(lambda: serves(log), within=90)
        async with aiohttp.ClientSession() as http:  # one of its own: an idle connection would delay the end
            other = Rig(rig.control, rig.redis, rig.worker, port_in(log) or 0, rig.token, http)
            for name in ("good", "nobody", "nowhere"):
                watched.feed("an answer", (await other.call(name)).body)
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 20)
    return text_of(log)


async def serves(log: Path) -> bool:
    return port_in(log) is not None


def started(environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as stderr:
        return subprocess.Popen([sys.executable, "-m", "proxy.worker"], env=environment, stderr=stderr)


def port_in(log: Path) -> int | None:
    """The port that a worker says it serves, once it does."""
    lines = [json.loads(line) for line in text_of(log).splitlines(keepends=True) if line.endswith("\n")]
    return next((line["port"] for line in lines if line["event"] == "proxy worker serves"), None)


def text_of(log: Path) -> str:
    return log.read_text()
