"""Explain: what would become of a call, by the pipeline's own stages, run dry in their order.

Asked by control (`core/explain.py`), called by `proxy/internal.py`. Nothing is sent, recorded, counted, remembered or
taken, and no breaker or budget of callers hears of it; control alone is asked, for the gateway as it is now. What a
stage would refuse is told in the words that its caller would get. Leaves out which installation serves: control says
that in its second question, once the stages have named the tool.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

import orjson

from core.explain import Explained, ExplainQuestion, HeaderOf, HeaderTold, Outcome, StageTold
from core.gateway_answers import GatewayQuestion
from core.mcp.faults import MessageFault
from core.mcp.methods import TOOLS_CALL
from core.mcp.versions import MODERN, Era
from core.resolve import ResolvedInstallation
from core.signing import Verifier
from core.snapshot import SnapshotBroken
from proxy.answers.refused import sentence_of
from proxy.caches.two_ages import SourceUnreachable
from proxy.caller import STRANGER, Caller
from proxy.deps import Deps
from proxy.exchange import NO_STREAM, Exchange, Head, Judged
from proxy.explaining.dry_parts import dry_parts, proof_for
from proxy.explaining.known_later import FOUND_OUT, KNOWN_LATER
from proxy.gateways.compiled import CompiledGateway
from proxy.gateways.opening import opened
from proxy.gateways.resources import GATEWAY_PATH
from proxy.methods import method_of
from proxy.pipeline import AT_HEADERS, TO_UPSTREAM
from proxy.refusals import Refusal
from proxy.resolve.control_client import ControlClient
from proxy.stages.choose_tool import choose_tool
from proxy.stages.forward import forward
from proxy.stages.parse import parse
from proxy.stages.resolve_credential import resolve_credential
from proxy.upstream.addresses import never_reached
from proxy.upstream.faults import refusal_of
from proxy.upstream_call import Stage

_NOT_ASKED: Final = "Which installation serves was not said yet."


@dataclass(slots=True)
class _Run:
    """What the stages said so far."""

    stages: list[StageTold] = field(default_factory=list)
    reason: str = ""
    sentence: str = ""
    status: int = 200
    link: str = ""
    over: bool = False
    """Whether no further stage is reached."""
    asks: bool = False
    """Whether they came to where the installation must be known."""

    def told(self, stage: Stage, outcome: Outcome, why: str = "") -> None:
        """Note what a stage would do."""
        self.stages.append(StageTold(stage.__name__, outcome, why))

    def refused(self, stage: Stage, refusal: Refusal | MessageFault) -> None:
        """Note that it refuses, in the caller's words."""
        if isinstance(refusal, MessageFault):
            self.reason, self.sentence, self.status = "wrong_message", refusal.message, refusal.http_status
        else:
            row = refusal.row
            self.reason, self.sentence, self.link = refusal.reason, sentence_of(refusal), refusal.link
            self.status = row.status
        self.told(stage, "refuses", self.sentence)
        self.over = True


class Explainer:
    """Answers what would become of a call, with the parts of one worker."""

    def __init__(self, deps: Deps, control: ControlClient, verifier: Verifier) -> None:
        self._deps, self._control, self._verifier = deps, control, verifier

    async def explain(self, question: ExplainQuestion) -> Explained:
        """What would become of it. Raises SourceUnreachable where the gateway cannot be had."""
        gateway = await self._gateway(question.gateway_id)
        return await self.explained(question, gateway)

    async def explained(self, question: ExplainQuestion, gateway: CompiledGateway | None) -> Explained:
        """What would become of a call at this gateway; None: there is none that its caller could know of."""
        x, run = _exchange(question, gateway), _Run()
        deps = dry_parts(self._deps, question.verdict, gateway, question.answer)
        for stage in _stages(x):
            await _step(run, stage, x, deps, question)
        target, installation, settings = x.target, x.installation, self._deps.settings
        return Explained(
            run.stages,
            run.reason,
            run.sentence,
            run.status,
            run.link,
            gateway_revision=x.gateway.snapshot.revision if x.gateway is not None else 0,
            assignment_id=target.assignment_id if target is not None else "",
            tool=target.exposed if target is not None else "",
            upstream=getattr(target, "upstream", ""),
            server=target.route.entry if target is not None else "",
            asks_for_installation=run.asks,
            headers=_headers(x, installation) if installation is not None else [],
            era=self._era(installation) if installation is not None else "",
            deadline_s=(installation.deadline_s or settings.call_seconds) if installation is not None else 0,
            calls_at_once=settings.calls_per_upstream if target is not None and target.assignment_id else 0,
        )

    async def _gateway(self, gateway_id: str) -> CompiledGateway | None:
        """As control has it now; it is not kept. None where there is none."""
        if not gateway_id:
            return None
        answer = await self._control.gateway(GatewayQuestion(gateway_id))
        try:
            return await opened(answer.document, answer.id, self._verifier) if answer.document else None
        except SnapshotBroken:
            raise SourceUnreachable from None

    def _era(self, installation: ResolvedInstallation) -> Literal["", "legacy", "modern"]:
        if installation.protocol != "auto":
            return "modern" if installation.protocol == MODERN else "legacy"
        found = self._deps.upstreams.health.eras.found(installation)
        return "" if found is None else "modern" if found.era is Era.MODERN else "legacy"


async def _step(run: _Run, stage: Stage, x: Exchange, deps: Deps, question: ExplainQuestion) -> None:
    name = stage.__name__
    if run.over:
        return run.told(stage, "not_reached")
    if stage is forward and (refused := _shut_out(x.installation, deps)) is not None:
        return run.refused(stage, _answered(refused, x, deps))
    if name in KNOWN_LATER:
        return run.told(stage, "at_the_call", KNOWN_LATER[name])
    later = FOUND_OUT.get(name, "")
    if stage is resolve_credential:
        later = question.unsettled
        if _ends_here(run, question):
            return None
    try:
        if (pending := stage(x, deps)) is not None:
            await pending
    except (Refusal, MessageFault) as refusal:
        return run.refused(stage, _answered(refusal, x, deps))
    return run.told(stage, "at_the_call" if later else "passed", later)


def _shut_out(installation: ResolvedInstallation | None, deps: Deps) -> Refusal | None:
    """The refusal of a server that the egress policy of its environment shuts out, as far as its name says it."""
    if installation is None:
        return None
    fault = never_reached(installation, at_a_proxy=bool(deps.settings.https_proxy))
    return None if fault is None else refusal_of(fault, installation, seconds=0, limit=0)


def _answered(refusal: Refusal | MessageFault, x: Exchange, deps: Deps) -> Refusal | MessageFault:
    """What the caller gets of it: where a call must leave a record and cannot, that is what they are told."""
    unkept = x.choose is not None and x.gateway is not None and x.gateway.snapshot.audit_required
    return Refusal("audit_unavailable") if unkept and not deps.records.can_keep else refusal


def _ends_here(run: _Run, question: ExplainQuestion) -> bool:
    """Whether nothing more is known without the installation: it was not said, or is there only at the call."""
    answer = question.answer
    if answer is None:
        run.asks = True
        run.told(resolve_credential, "not_reached", _NOT_ASKED)
    elif answer.refusal is not None and answer.refusal.under_way:
        run.told(resolve_credential, "at_the_call", answer.refusal.sentence)
    else:
        return False
    run.over = True
    return True


def _stages(x: Exchange) -> Iterator[Stage]:
    """The stages of a call in the pipeline's order; those of the method, once the message is read."""
    yield from AT_HEADERS
    yield parse
    if x.message is not None:
        method_of(x)
    yield x.choose or choose_tool
    yield from TO_UPSTREAM if x.stages is None else x.stages


def _exchange(question: ExplainQuestion, gateway: CompiledGateway | None) -> Exchange:
    """A call of the tool as a legacy client without a session sends it, with every header that would be passed on."""
    allowed = dict.fromkeys(gateway.allowlist, "") if gateway is not None else {}
    x = Exchange(Head("POST", GATEWAY_PATH + question.gateway_id, (1, 1), [], ""), NO_STREAM)
    x.headers = {**allowed, "content-type": "application/json"}
    x.gateway_name = question.gateway_id
    proof = proof_for(question.verdict)
    x.head.judged = Judged(x.headers, x.gateway_name, "", Caller(STRANGER.verdict, proof))
    x.body = orjson.dumps(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": TOOLS_CALL,
            "params": {"name": question.tool, "arguments": orjson.Fragment(question.arguments)},
        }
    )
    return x


def _headers(x: Exchange, installation: ResolvedInstallation) -> list[HeaderTold]:
    """The headers that the server would get, each with where it comes from; one name stands once."""
    if x.outbound is None:
        return []
    own = {"authorization"} if installation.caller_token else set()
    parts: tuple[tuple[HeaderOf, Iterable[str]], ...] = (
        ("caller", x.outbound.passed),
        ("entry", (name for name, _ in installation.fixed_headers)),
        ("credential", own | {name for name, _ in installation.credential_headers}),
        ("archway", (name for name, _ in installation.statement_headers)),
        ("arguments", x.outbound.param_headers),
    )  # the later ones win, as where the request is made
    sources = {name.lower(): of for of, names in parts for name in names}
    sent = own | {name.lower() for name in (*x.outbound.headers, *x.outbound.param_headers)}
    return [HeaderTold(name, sources.get(name, "archway")) for name in sorted(sent)]
