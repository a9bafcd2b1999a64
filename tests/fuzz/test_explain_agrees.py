"""Explain agrees with what a call then does: ten thousand calls by chance, each explained and then made.

Both sides stand on one case of `generated_calls.py`. One is explained: by control's own code, and by the stages that
a proxy runs dry. The other is made: bytes of a caller into a worker, by turns into its fast and its aiohttp lane,
whose control answers as `control/internal/` does, and bytes to a server that is not there. What is refused, in which
words, which installation serves, and which headers the server gets, must be the same; where explain says that it is
known only at the call, the call may end in either way there.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

import orjson
import pytest
from msgspec.structs import replace

from control.accounts.no_token import away, under_way
from control.credentials.calling import Calling
from control.credentials.for_caller import ForCaller
from control.credentials.statement import CallerStatements
from control.credentials.usable import Usable
from control.credentials.whose import caller_kind
from control.explain.dry_usable import Opening
from control.explain.explaining import calling_as, in_rounds
from control.explain.serving import Serving, serving
from control.explain.who_calls import WhoCalls
from control.internal.bearers import calling_of
from control.internal.questions import Questions
from control.publish.compile import compile_gateway
from control.registry.account import Account
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.row_seals import RowSeals
from core.caller_statements import StatementSigner
from core.egress.own_servers import RuntimeUrl
from core.explain import Explained, ExplainQuestion
from core.keys import new_key, parse_key_ring
from core.resolve import InstallationAnswer, InstallationQuestion, InstallationRefusal
from core.tokens import digest, new_token
from proxy.caches.two_ages import Aged
from proxy.edge.aiohttp_lane import AiohttpLane
from proxy.edge.listener import Listener
from proxy.edge.stream_sweep import StreamSweep
from proxy.explaining.explainer import Explainer
from proxy.gateways.compiled import CompiledGateway
from proxy.records.keeper import RecordKeeper
from proxy.resolve.control_client import ControlClient
from proxy.resolve.key_sets import KeySetDocument
from proxy.verified_token import Verified
from tests.fakes.call_records import waiting_records
from tests.fakes.issuers import FakeIssuer
from tests.fakes.planned_lane import FAR_S, PlannedLane, planned_lane
from tests.fakes.proxy_parts import PUBLIC_URL, hold
from tests.fuzz.generated_calls import ALLOWED, AUDIENCE, ISSUER, URL, Case, generated

CASES = 10_000
AT_ONCE = 500
PAGES = "https://tools.example.com"
SENT_BY_THE_CALLER = "".join(f"{name}: from-the-caller\r\n" for name in ALLOWED)
OF_EVERY_CALL = {
    "host", "accept", "accept-encoding", "content-length", "content-type", "mcp-method", "mcp-name",
    "mcp-protocol-version", "user-agent", "connection",
}  # fmt: skip
MAY_STILL_REFUSE = {"needs_sign_in", "provider_away", "server_starting", "credential_unavailable"}


@dataclass
class Made:
    """What became of a call that was made."""

    status: int
    said: str = ""
    """The refusal's sentence; '' where the server was asked."""
    reason: str = ""
    installation: str = ""
    headers: frozenset[str] = frozenset()


class RealEnough:
    """Control, as far as a worker asks it about installations: the code that answers, on rows of one case."""

    def __init__(self, seals: RowSeals, statements: CallerStatements) -> None:
        self.case: Case | None = None
        usable = Usable(seals, self, place="process", for_callers=self, statements=statements)
        self._questions = Questions(*[cast("Any", None)] * 3, usable, cast("Any", None), PAGES)

    async def installation(self, question: InstallationQuestion) -> InstallationAnswer:
        """As `Questions.installation`, but that rows are not read."""
        case = self.case
        assert case is not None
        assert case.verdict.principal is not None
        verdict = replace(case.verdict, digest=question.digest)
        calling = calling_of(question, verdict, case.verdict.principal)
        return await self._questions._resolved(calling, case.rows(question.assignment_id), question)

    async def renewal(self, question: InstallationQuestion) -> InstallationAnswer:
        """The same, once it was waited for: what is still under way is given up."""
        answer = await self.installation(question)
        if answer.refusal is None or not answer.refusal.under_way:
            return answer
        return InstallationAnswer(refusal=replace(answer.refusal, under_way=False))

    # whoever asks providers

    async def renewed(
        self, entry: Entry, installation: Installation, account: Account | None, within: float = 0.0
    ) -> Account | InstallationRefusal:
        assert self.case is not None
        if not self.case.provider_gives or account is None:
            return away(entry, installation, "it answers nothing")
        return account

    def noticed(self, account: Account) -> None:
        """Nothing."""

    async def token(
        self, calling: Calling, entry: Entry, installation: Installation, *, newer_than: float = 0, within: float = 0
    ) -> ForCaller | InstallationRefusal:
        assert self.case is not None
        if self.case.provider_gives:
            return ForCaller("exchanged", 0.0, 1.0)
        return under_way(entry, installation)


@dataclass
class Both:
    """A worker and control, which explain a case, and make its call."""

    lane: PlannedLane
    control: RealEnough
    opening: Opening
    explainer: Explainer
    can_keep: dict[str, bool]
    outcomes: Counter[str] = field(default_factory=Counter)

    async def explained(self, case: Case) -> tuple[Explained, Serving | None]:
        """What explain says."""
        gateway = case.contents.gateway
        kind = caller_kind(case.principal, case.verdict.auth, by_assertion=case.verdict.by_assertion)
        who = WhoCalls(case.verdict, case.principal, kind)

        async def ask(question: ExplainQuestion) -> Explained:
            return await self.explainer.explained(question, self._compiled(case))

        async def serve(assignment_id: str) -> Serving:
            rows = case.rows(assignment_id)
            return await serving(calling_as(who, gateway), rows, self.opening, PAGES)

        arguments = orjson.dumps(case.arguments).decode()
        return await in_rounds(ask, ExplainQuestion(gateway.id, case.verdict, case.tool, arguments), serve)

    def _compiled(self, case: Case) -> CompiledGateway:
        return CompiledGateway(compile_gateway(case.contents, "process"))

    def prepared(self, case: Case) -> str:
        """The worker knows the gateway and the caller, as if it had met them; the token that they come with."""
        worker = self.lane.worker
        hold(self.lane.deps, self._compiled(case))
        worker.installations.resolved.memory.drop_where(lambda *_: True)
        self.control.case, self.can_keep["now"] = case, case.can_keep
        if case.verdict.auth == "token":
            token = new_token()
        else:
            own = case.verdict.auth == "oauth"
            issuer = PUBLIC_URL if own else ISSUER
            claims = {
                "iss": issuer,
                "sub": "s",
                "aud": f"{PUBLIC_URL}/v1/mcp/g" if own else AUDIENCE,
                "exp": 2**33,
                "n": new_token(),
            }
            token = f"{_part({'alg': 'none', 'kid': 'k'})}.{_part(claims)}.c2lnbmVk"
            key_set = worker.key_sets._opened.get(issuer)[1]  # type: ignore[index]
            verified = Verified(cast("Any", {**claims, "scope": "mcp"}), key_set.keys[0], "oauth" if own else "jwt")
            worker.signed_tokens._verified.put(digest(token), verified)
        verdict = replace(case.verdict, digest=digest(token))
        far = asyncio.get_running_loop().time() + FAR_S
        worker.authority.verdicts.memory.put(digest(token), Aged(verdict, far))
        return token

    async def made(self, case: Case) -> Made:
        """What a call becomes: bytes in, bytes out."""
        lane = self.lane
        lane.token = self.prepared(case)
        lane.caller, lane.out = lane._connected()
        lane.says(self._bytes(case))
        server = None
        async with asyncio.timeout(20):
            while not lane.out.data and server is None:
                await asyncio.sleep(0)
                server = next((one for one in lane.servers if one.reads()), None)
        if server is not None:
            names = {line.partition(b":")[0].decode().lower() for line in server.head.split(b"\r\n")[1:]}
            server.answers()
        async with asyncio.timeout(20):
            while not _is_whole(lane.out.data):  # noqa: ASYNC110
                await asyncio.sleep(0)
        answer = lane.answer()
        lane.leaves()
        kept = waiting_records(lane.deps.records)
        lane.deps.records._waiting.clear()
        record = kept[-1] if kept else None
        if server is not None:
            assert record is not None
            assert record.status == "ok", record
            return Made(200, installation=record.installation_id, headers=frozenset(names - OF_EVERY_CALL))
        return Made(answer.status, _said(answer.json), record.status if record is not None else "")

    def _bytes(self, case: Case) -> bytes:
        message = {
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": case.tool, "arguments": case.arguments},
        }  # fmt: skip
        body = orjson.dumps(message)
        return (
            f"POST /v1/mcp/g HTTP/1.1\r\nHost: gw.example:8080\r\nAuthorization: Bearer {self.lane.token}\r\n"
            f"Content-Type: application/json\r\n{SENT_BY_THE_CALLER}MCP-Protocol-Version: 2025-11-25\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body


def _is_whole(data: bytes) -> bool:
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return length is not None and len(body) >= int(length[1])


def _part(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


def _said(body: dict[str, Any]) -> str:
    if "error" in body:
        return str(body["error"]["message"])
    assert body["result"]["isError"], body
    return str(body["result"]["content"][0]["text"])


@asynccontextmanager
async def both(monkeypatch: pytest.MonkeyPatch, way: str) -> AsyncIterator[Both]:
    """The two sides, on one worker."""
    seals = RowSeals(parse_key_ring("ARCHWAY_SECRET_KEY", new_key()))
    statements = CallerStatements(StatementSigner(parse_key_ring("signing", new_key()), PAGES))
    control, can_keep = RealEnough(seals, statements), {"now": True}
    monkeypatch.setattr(ControlClient, "installation", lambda _, question: control.installation(question))
    monkeypatch.setattr(ControlClient, "renewal", lambda _, question: control.renewal(question))
    monkeypatch.setattr(RecordKeeper, "can_keep", property(lambda _: can_keep["now"]))

    async def safe(*_: object) -> bool:
        return can_keep["now"]

    monkeypatch.setattr(RecordKeeper, "safe", safe)
    async with planned_lane() as lane:
        lane.servers += lane._servers(RuntimeUrl(URL))
        far = asyncio.get_running_loop().time() + FAR_S
        for issuer in (FakeIssuer(PUBLIC_URL, kind="own"), FakeIssuer(ISSUER)):
            lane.worker.key_sets.held.memory.put(issuer.name, Aged(KeySetDocument(b"signed"), far))
            lane.worker.key_sets._opened.put(issuer.name, (b"signed", issuer.key_set()))
        explainer = Explainer(lane.deps, lane.worker.control, lane.worker.settings.verifier)
        fast = lane.lane
        if way == "aiohttp":
            lane.lane = cast("Any", Listener(AiohttpLane(lane.deps, StreamSweep(lane.deps)), lane.deps))
        yield Both(lane, control, Opening(seals, "process", statements), explainer, can_keep)
        lane.lane = fast


def check(case: Case, told: Explained, found: Serving | None, made: Made) -> str:
    """That explain and the call agree; what became of it."""
    stages = {one.stage: one.outcome for one in told.stages}
    if told.reason:
        assert made.said == told.sentence, (case, told, made)
        assert made.status == told.status, (case, told, made)
        return told.reason
    if made.said:
        assert stages["resolve_credential"] == "at_the_call", (case, told, made)
        assert made.reason in MAY_STILL_REFUSE, (case, told, made)
        return f"later {made.reason}"
    assert stages["compose_headers"] == "passed" or stages["resolve_credential"] == "at_the_call", (case, told, made)
    if stages["compose_headers"] == "passed":
        assert found is not None
        assert found.installation is not None
        assert made.installation == found.installation.id, (case, told, made)
        assert {one.name for one in told.headers} == made.headers, (case, told, made)
    return "made"


@pytest.mark.parametrize("seed", range(CASES // AT_ONCE))
async def test_explain_agrees_with_what_a_call_then_does(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = Random(seed)
    async with both(monkeypatch, "aiohttp" if seed % 2 else "fast") as sides:
        for _ in range(AT_ONCE):
            case = generated(chance, sides.opening.seals)
            sides.can_keep["now"] = case.can_keep
            told, found = await sides.explained(case)
            made = await sides.made(case)
            sides.outcomes[check(case, told, found, made)] += 1
    assert sides.outcomes["made"] > 10  # what refuses everything agrees with everything
    assert len(sides.outcomes) > 10, sides.outcomes
