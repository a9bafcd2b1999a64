"""What would become of a call, by the stages themselves: nothing is sent, counted, spent, taken or asked."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from core.egress.rules import Allowed, EgressRules
from core.explain import Explained, ExplainQuestion
from core.gateway_answers import GatewayAnswer
from core.keys import new_key, parse_key_ring
from core.resolve import CallerVerdict, InstallationAnswer, InstallationRefusal, Principal
from core.signing import Signer, Verifier
from core.snapshot import Rule, Visibility, sign_gateway
from proxy.caches.two_ages import SourceUnreachable
from proxy.explaining.explainer import Explainer
from proxy.pipeline import AT_HEADERS, TO_UPSTREAM
from proxy.resolve.control_client import ControlClient
from proxy.worker import Worker
from tests.fakes import proxy_parts
from tests.fakes.call_parts import installation, worker

ADA = Principal("user", "ada", "Ada")
VERDICT = CallerVerdict("", ADA)
STAGES = [one.__name__ for one in (*AT_HEADERS, *TO_UPSTREAM)]


@pytest.fixture
async def made() -> AsyncIterator[Worker]:
    async with worker(public_url=proxy_parts.PUBLIC_URL) as one:
        yield one


def gateway(**fields: Any) -> proxy_parts.CompiledGateway:
    """A gateway with a tool that may be called and one that may not."""
    told: dict[str, Any] = {"rules": [Rule("refuse", "quarantined", ["bad"])], "client_auth_beside": ["oauth"]}
    return proxy_parts.gateway(proxy_parts.tool("t"), proxy_parts.tool("bad"), **(told | fields))


async def explained(made: Worker, at: proxy_parts.CompiledGateway | None, **question: Any) -> Explained:
    asked: dict[str, Any] = {
        "gateway_id": at.id if at else "", "verdict": VERDICT, "tool": "t", "answer": answered(),
    }  # fmt: skip
    explainer = Explainer(made.deps, made.control, made.settings.verifier)
    return await explainer.explained(ExplainQuestion(**(asked | question)), at)


def answered(**fields: Any) -> InstallationAnswer:
    return InstallationAnswer(installation(**fields))


def outcomes(told: Explained) -> dict[str, str]:
    return {one.stage: one.outcome for one in told.stages}


def traces(made: Worker) -> dict[str, Any]:
    """Everything that a stage could have left in the worker."""
    caches = made.authority.verdicts.memory, made.installations.resolved.memory
    overload, egress = made.overload, made.egress
    return {
        "counts": list(made.slots._values),
        "uses": [(one.hits, one.misses, one.used_age, one.changes, list(one.items())) for one in caches],
        "gateways": [(one.id, one.used, made.gateways.hits, made.gateways.misses) for one in made.gateways.all()],
        "usage": (made.usage.calls_in_flight, made.usage.bytes_in_flight, made.usage.at_servers),
        "overload": (overload.sheds, overload.pressed, overload._calls, overload._asked, overload._budget),
        "strangers": vars(made.authority.budget).copy(),
        "sent": (egress.opened, egress.failed),
        "told": (made.deps.records.kept, made.deps.refusal_log.unsaid),
        "names": dict(made.deps.header_names),
        "tasks": len(made.tasks),
    }


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What control was asked."""
    questions: list[str] = []
    for name in ("caller", "installation", "gateway", "index"):

        async def ask(*_: object, name: str = name) -> None:
            questions.append(name)
            raise AssertionError("nobody asks")

        monkeypatch.setattr(ControlClient, name, ask)
    return questions


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("", {}),
        ("quarantined", {"tool": "bad"}),
        ("tool_unknown", {"tool": "nothing"}),
        ("not_authenticated", {"verdict": CallerVerdict("", refusal="revoked")}),
        ("token_for_api", {"verdict": CallerVerdict("", kept_out=ADA)}),
        ("not_authenticated", {"verdict": CallerVerdict("", ADA, auth="jwt")}),
        ("way_not_accepted", {"verdict": CallerVerdict("", ADA, auth="oauth", by_assertion=True)}),
        ("needs_sign_in", {"answer": InstallationAnswer(refusal=InstallationRefusal("needs_sign_in", "Sign in."))}),
        ("wrong_message", {"arguments": "[]"}),
    ],
)
async def test_what_would_become_of_a_call_leaves_no_trace(
    made: Worker, asked: list[str], reason: str, said: dict[str, Any]
) -> None:
    made.overload.sheds = True
    made.usage.running.take("user:greedy", 10_000, most=10_000, share=10_000)
    before = traces(made)
    told = await explained(made, gateway(), **said)
    assert (told.reason, traces(made), asked) == (reason, before, [])


async def test_every_stage_of_the_pipeline_is_told_of_in_its_order(made: Worker) -> None:
    told = await explained(made, gateway())
    names = [one.stage for one in told.stages]
    assert [one for one in names if one not in {"parse", "choose_tool"}] == STAGES
    assert names[3:5] == ["parse", "choose_tool"]
    assert {one.outcome for one in told.stages} == {"passed", "at_the_call"}
    assert all(one.why for one in told.stages if one.outcome == "at_the_call")


async def test_a_stage_that_refuses_says_so_in_the_callers_words_and_no_later_one_is_reached(made: Worker) -> None:
    told = await explained(made, gateway(), tool="bad")
    assert told.sentence == "bad was quarantined by an administrator and cannot be called."
    assert outcomes(told)["apply_policy"] == "refuses"
    names = [one.stage for one in told.stages]
    after = told.stages[names.index("apply_policy") + 1 :]
    assert after
    assert {one.outcome for one in after} == {"not_reached"}


async def test_a_gateway_that_is_not_there_and_one_that_is_not_theirs_are_told_of_alike(made: Worker) -> None:
    theirs = gateway(visibility=Visibility("teams", ["sales"]))
    gone, hidden = await explained(made, None), await explained(made, theirs)
    assert gone == hidden
    assert (gone.reason, gone.status) == ("gateway_unknown", 404)


async def test_before_the_installation_is_said_the_stages_name_the_tool_and_ask_for_it(made: Worker) -> None:
    at = gateway()
    told = await explained(made, at, answer=None)
    assert (told.asks_for_installation, told.reason) == (True, "")
    assert told.assignment_id == at.tools["t"].assignment_id
    assert outcomes(told)["compose_headers"] == "not_reached"
    assert not (await explained(made, at, tool="bad", answer=None)).asks_for_installation


async def test_what_run_tool_names_is_what_is_told_of(made: Worker) -> None:
    at = gateway(tool_loading="search_and_run")
    told = await explained(made, at, tool="run_tool", arguments='{"tool_name":"t","tool_args":{}}')
    assert (told.tool, told.reason) == ("t", "")
    refused = await explained(made, at, tool="run_tool", arguments='{"tool_name":"bad"}')
    assert refused.reason == "quarantined"


async def test_a_search_is_told_to_ask_no_server(made: Worker) -> None:
    at = gateway(tool_loading="search_and_run")
    told = await explained(made, at, tool="search_tools", arguments='{"query":"x"}')
    assert [one.stage for one in told.stages][-2:] == ["choose_search", "search_tools"]
    assert (told.asks_for_installation, told.reason) == (False, "")


async def test_headers_are_told_by_name_alone_with_where_they_come_from(made: Worker) -> None:
    secret = answered(
        credential_headers=[("Authorization", "Bearer secret")], fixed_headers=[("X-Org", "acme"), ("X-Both", "1")]
    )
    told = await explained(made, gateway(header_allowlist=["x-tenant", "x-both"]), answer=secret)
    assert [(one.name, one.of) for one in told.headers] == [
        ("authorization", "credential"), ("x-both", "entry"), ("x-org", "entry"), ("x-tenant", "caller"),
    ]  # fmt: skip
    assert "secret" not in repr(told)


async def test_a_credential_that_is_fetched_at_the_call_is_said_to_be_and_the_rest_is_told(made: Worker) -> None:
    told = await explained(made, gateway(), unsettled="Its token has ended.")
    (stage,) = [one for one in told.stages if one.stage == "resolve_credential"]
    assert (stage.outcome, stage.why) == ("at_the_call", "Its token has ended.")
    assert outcomes(told)["compose_headers"] == "passed"


async def test_a_server_that_the_egress_policy_shuts_out_by_name_is_told_to_be(made: Worker) -> None:
    network = EgressRules("restricted", (Allowed(("10.0.0.0/8",), ports=("1-65535",)),))
    for egress, reason in [(EgressRules("off"), "upstream_egress"), (EgressRules(), ""), (network, "")]:
        server = installation("http://a.test/mcp", egress=egress, environment="production")
        told = await explained(made, gateway(), answer=InstallationAnswer(server))
        assert (told.reason, outcomes(told)["forward"]) == (reason, "refuses" if reason else "at_the_call")
        assert outcomes(told)["receive"] == ("not_reached" if reason else "at_the_call")


async def test_a_server_that_is_starting_may_be_there_at_the_call(made: Worker) -> None:
    starting = InstallationRefusal("server_starting", "Time is starting.", under_way=True)
    told = await explained(made, gateway(), answer=InstallationAnswer(refusal=starting))
    assert (told.reason, outcomes(told)["resolve_credential"]) == ("", "at_the_call")
    assert outcomes(told)["compose_headers"] == "not_reached"


async def test_a_record_that_cannot_be_kept_refuses_where_one_is_demanded(
    made: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(made.deps.records), "can_keep", False)
    assert (await explained(made, gateway(audit_required=True))).reason == "audit_unavailable"
    assert (await explained(made, gateway())).reason == ""


@pytest.mark.parametrize(("protocol", "era"), [("auto", ""), ("legacy", "legacy"), ("2026-07-28", "modern")])
async def test_the_era_and_the_limits_that_would_apply_are_told(made: Worker, protocol: str, era: str) -> None:
    told = await explained(made, gateway(), answer=answered(protocol=protocol, deadline_s=7.0))
    assert (told.era, told.deadline_s) == (era, 7.0)
    assert told.calls_at_once == made.settings.calls_per_upstream


async def test_the_gateway_is_asked_for_and_not_kept(made: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    signer, at = Signer(parse_key_ring("signing", new_key())), gateway()
    document = sign_gateway(replace(at.snapshot, revision=7), signer)

    async def given(*_: object) -> GatewayAnswer:
        return GatewayAnswer(at.id, document)

    monkeypatch.setattr(ControlClient, "gateway", given)
    explainer = Explainer(made.deps, made.control, Verifier("keys", signer.public_keys))
    told = await explainer.explain(ExplainQuestion(at.id, VERDICT, "t"))
    assert (told.gateway_revision, made.gateways.all()) == (7, [])
    other = Explainer(made.deps, made.control, made.settings.verifier)
    with pytest.raises(SourceUnreachable):  # it is not signed by a key that this proxy knows
        await other.explain(ExplainQuestion(at.id, VERDICT, "t"))


async def test_a_gateway_that_is_gone_or_was_not_named_is_unknown(
    made: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> GatewayAnswer:
        return GatewayAnswer()

    monkeypatch.setattr(ControlClient, "gateway", gone)
    explainer = Explainer(made.deps, made.control, made.settings.verifier)
    for name in ("", "0198c5d2-0000-7000-8000-000000000000"):
        assert (await explainer.explain(ExplainQuestion(name, VERDICT, "t"))).reason == "gateway_unknown"
