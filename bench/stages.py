"""What each stage of a governed call costs, in one process: `python -m bench.stages`.

A worker's real parts with warm caches, a gateway of 50 tools, a modern caller; each call has its own arguments and is
checked. Listener and upstream are left out: heads are made as a lane makes them, and the conversation with the
upstream is one immediate answer. Prints microseconds per stage by `perf_counter`, and of CPU in all, where nothing is
timed within: the least of 400 batches, since what the machine does besides only ever adds.
`--calls N` sets how many; `--legacy` calls in a legacy session; `--aiohttp` hands in what the aiohttp lane does: raw
headers, and no task that a call could run in; `--profile` prints a profile by function instead, whose figures tell
shares and not costs.

Figures of one run compare with each other alone: the machine's other work is in them.
"""

import argparse
import asyncio
import cProfile
import pstats
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import orjson
import uvloop

from bench.immediate import Immediate, NoStream
from core.identifiers import new_id
from core.keys import new_key, parse_key_ring
from core.resolve import CallerVerdict, Principal, ResolvedInstallation, TokenProof
from core.signing import Signer
from core.snapshot import FORMAT, Gateway, Route, Tool, Visibility
from core.tokens import digest, new_token
from proxy import methods, pipeline, upstream_call
from proxy.answers.plain import public_answer
from proxy.caches.two_ages import Aged
from proxy.caller import Caller
from proxy.exchange import Answer, Exchange, Head
from proxy.garbage import collect_seldom
from proxy.gateways.compiled import CompiledGateway
from proxy.room import at_end
from proxy.settings import ProxySettings
from proxy.upstream.conversation import Upstreams
from proxy.worker import Worker

BATCHES = 400
FRESH_S = 1e5
TOOLS = 50
_ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
}


class Bench:
    """A warm worker and its callers."""

    def __init__(self, worker: Worker, *, legacy: bool, fast: bool) -> None:
        deps = worker.deps
        self._deps, self._legacy, self._fast = deps, legacy, fast
        self._outlet = NoStream()
        self._begin: Callable[..., Exchange] = self.exchange
        self._public: Callable[..., object] = public_answer
        self._end: Callable[..., None] = at_end
        self._count = 0
        self._spent: dict[str, float] = defaultdict(float)
        principal = Principal("user", new_id(), "Ada")
        gateway = _warm_gateway(worker, principal.key)
        caller, self._head = _warm_caller(worker, principal)
        if legacy:
            session_id, session = deps.sessions.new(gateway.id, caller, "2025-11-25", 0)
            deps.sessions._remember((session_id, gateway.id, caller.key, caller.way), session)
            self._head += [(b"Mcp-Session-Id", session_id.encode()), (b"Mcp-Protocol-Version", b"2025-11-25")]
        else:
            self._head += [
                (b"Mcp-Protocol-Version", b"2026-07-28"),
                (b"Mcp-Method", b"tools/call"),
                (b"Mcp-Name", b"srv_tool_7"),
            ]
        self._judged = {name.decode().lower(): value.decode() for name, value in self._head}

    async def batch(self, calls: int) -> float:
        """Microseconds of CPU a call, over so many calls one after the other."""
        markers = [f"m-{self._count + number}" for number in range(calls)]
        self._count += calls
        bodies = [self._body(marker) for marker in markers]
        began = time.process_time()
        answers = [await self._call(body) for body in bodies]
        spent = time.process_time() - began
        for marker, answer in zip(markers, answers, strict=True):
            assert answer is not None
            assert answer.body.count(marker.encode()) == 2, answer.body
        self._deps.records._waiting.clear()  # nobody sends them here
        return 1e6 * spent / calls

    async def _call(self, body: bytes) -> Answer | None:
        """One call, as a lane serves it."""
        deps = self._deps
        x = self._begin()
        assert self._public(x, deps) is None
        pending = pipeline.at_headers(x, deps)
        if pending is not None:
            await pending
        x.body = body
        if self._fast:
            assert pipeline.at_message_now(x, deps) is None
            call = pipeline.begin_call(x, deps)
            while call.step() is not None:
                pass
            answer: Answer | None = upstream_call.answer_of(x, deps)
        else:
            answer = await pipeline.at_message(x, deps)
        self._end(x, deps)
        return answer

    def exchange(self) -> Exchange:
        """What a lane makes at the end of the header block."""
        if not self._fast:
            return Exchange(Head("POST", "/v1/mcp/g", (1, 1), self._head, "192.0.2.1"), self._outlet)
        return Exchange(Head("POST", "/v1/mcp/g", (1, 1), (), "192.0.2.1", self._judged.copy()), self._outlet)

    def split(self, calls: int) -> dict[str, float]:
        """Microseconds a call by stage, since the last time."""
        shares = {name: 1e6 * spent / calls for name, spent in self._spent.items()}
        self._spent.clear()
        return shares

    def clock_the_stages(self) -> None:
        """From now on each stage is timed, which itself costs a little."""
        for name in ("AT_HEADERS", "TO_UPSTREAM"):
            setattr(pipeline, name, tuple(self._clocked(stage) for stage in getattr(pipeline, name)))
        for rows in (methods.LEGACY, methods.MODERN):
            for name, method in rows.items():
                if isinstance(method, methods.FromServer):
                    rows[name] = replace(method, choose=self._clocked(method.choose))
        for module, name in ((pipeline, "parse"), (upstream_call, "record")):
            setattr(module, name, self._clocked(getattr(module, name)))
        parts = (self._begin, self._public, self._end)
        self._begin, self._public, self._end = (self._clocked(part) for part in parts)

    def _clocked(self, stage: Callable[..., Any]) -> Callable[..., Any]:
        """The stage, with its time told by name; of one that waits, until it is done."""
        spent, clock, name = self._spent, time.perf_counter, stage.__name__

        async def rest(pending: Any, began: float) -> None:
            await pending
            spent[name] += clock() - began

        def timed(*given: Any) -> Any:
            began = clock()
            pending = stage(*given)
            if asyncio.iscoroutine(pending):
                return rest(pending, began)
            spent[name] += clock() - began
            return pending

        return timed

    def _body(self, marker: str) -> bytes:
        params: dict[str, object] = {"name": "srv_tool_7", "arguments": {"text": marker}}
        if not self._legacy:
            params["_meta"] = _ENVELOPE
        return orjson.dumps({"jsonrpc": "2.0", "id": marker, "method": "tools/call", "params": params})


def _warm_gateway(worker: Worker, caller: str) -> CompiledGateway:
    """A gateway of 50 tools of one server, each with its installation known."""
    route = Route("remote", new_id(), "srv")
    tools = [
        Tool(
            f"srv_tool_{number}", f"tool_{number}", new_id(), {"name": f"srv_tool_{number}", "inputSchema": {}}, route
        )
        for number in range(TOOLS)
    ]
    allowed = ["x-request-tenant", "x-team"]
    seen_by = Visibility("organisation")
    held = CompiledGateway(Gateway(FORMAT, new_id(), "g", "The g", 1, seen_by, tools, header_allowlist=allowed))
    worker.gateways._by_name.update({held.id: held, "g": held})
    installation = ResolvedInstallation(
        installation_id=new_id(),
        entry_id=route.entry_id,
        entry="srv",
        owner="organisation",
        kind="remote",
        url="http://192.0.2.9/mcp",
        version=1,
        fixed_headers=[("X-Fixed", "1")],
        credential_headers=[("Authorization", "Bearer a-credential-of-the-usual-length")],
    )
    for tool in tools:
        key = worker.installations.key(held.id, tool.assignment_id, caller)
        worker.installations.resolved.memory.put(key, Aged(installation, time.monotonic() + FRESH_S))
    return held


def _warm_caller(worker: Worker, principal: Principal) -> tuple[Caller, list[tuple[bytes, bytes]]]:
    """A caller whose token is known, and their headers."""
    token = new_token()
    verdict = CallerVerdict(digest(token), principal, "token-id", time.time() + FRESH_S)
    known = Aged(verdict, time.monotonic() + FRESH_S, time.time() + FRESH_S)
    worker.authority.verdicts.memory.put(digest(token), known)
    return Caller(verdict, TokenProof(verdict.digest)), [
        (b"Host", b"gw.example:8080"),
        (b"Authorization", b"Bearer " + token.encode()),
        (b"Content-Type", b"application/json"),
        (b"Accept", b"application/json, text/event-stream"),
        (b"Content-Length", b"300"),
    ]


async def _measured(arguments: argparse.Namespace) -> None:
    key = new_key()
    worker = Worker(
        ProxySettings(
            redis_url="redis://127.0.0.1:1/0",
            control_internal_url=("http://127.0.0.1:1",),
            proxy_key=key,
            verify_keys=Signer(parse_key_ring("signing", new_key())).public_keys,
            public_url="http://gw.example:8080",
        )
    )
    upstreams, worker.deps.upstreams = worker.deps.upstreams, cast("Upstreams", Immediate())
    try:
        bench = Bench(worker, legacy=arguments.legacy, fast=not arguments.aiohttp)
        await bench.batch(1000)
        if arguments.profile:
            await _profiled(bench, arguments.calls)
        else:
            await _told(bench, arguments.calls // BATCHES)
    finally:
        worker.deps.records._waiting.clear()
        worker.deps.upstreams = upstreams  # the worker closes what it made
        await worker.close()


async def _told(bench: Bench, calls: int) -> None:
    whole = [await bench.batch(calls) for _ in range(BATCHES)]
    bench.clock_the_stages()
    split = []
    for _ in range(BATCHES):
        bench.split(calls)
        await bench.batch(calls)
        split.append(bench.split(calls))
    for name in split[0]:
        print(f"{name:20} {min(one[name] for one in split):7.2f} us")
    print(f"{'in all':20} {min(whole):7.2f} us, median {statistics.median(whole):.2f}")


async def _profiled(bench: Bench, calls: int) -> None:
    with cProfile.Profile() as profile:
        await bench.batch(calls)
    pstats.Stats(profile).sort_stats("tottime").print_stats(45)


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(prog="python -m bench.stages", description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--legacy", action="store_true")
    parser.add_argument("--aiohttp", action="store_true")
    parser.add_argument("--profile", action="store_true")
    collect_seldom()
    uvloop.run(_measured(parser.parse_args()))


if __name__ == "__main__":
    main()
