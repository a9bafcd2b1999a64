"""The stages up to the composed request run dry with parts of their own: nothing is sent, counted, spent or asked."""

import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from core.resolve import Principal
from core.snapshot import Rule
from proxy.caches.two_ages import Aged
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.methods import FromServer, method_of
from proxy.pipeline import AT_HEADERS, TO_UPSTREAM
from proxy.refusals import Refusal
from proxy.resolve.control_client import ControlClient
from proxy.stages.forward import forward
from proxy.stages.parse import parse
from proxy.worker import Worker
from tests.fakes import proxy_parts
from tests.fakes.call_parts import installation, worker
from tests.fakes.dry_parts import dry_parts

DECIDED = TO_UPSTREAM[: TO_UPSTREAM.index(forward)]
"""The stages of a call before anything is sent."""
USER = Principal("user", "ada", "Ada")
SECRET = [("Authorization", "Bearer a-servers-own")]


@pytest.fixture
async def made() -> AsyncIterator[Worker]:
    """A worker that has the gateway `g`, with a tool that may be called and one that may not."""
    async with worker(public_url=proxy_parts.PUBLIC_URL) as one:
        proxy_parts.hold(one.deps, proxy_parts.gateway(
            proxy_parts.tool("t"), proxy_parts.tool("bad"), rules=[Rule("refuse", "quarantined", ["bad"])],
        ))  # fmt: skip
        yield one


def call(made: Worker, tool: str = "t", *, token: str | None = "known", installed: bool = True) -> Exchange:
    """A call by a user whose token and whose installation the worker remembers, each near the end of its soft age."""
    nearly = 0.8 * made.settings.soft_age
    headers = {"Content-Type": "application/json", "MCP-Protocol-Version": "2025-11-25"}
    if token == "known":
        token = proxy_parts.known_token(made.deps, USER, age=nearly)
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    (held,) = made.gateways.all()
    if installed:
        key = made.installations.key(held.id, held.tools[tool].assignment_id, USER.key)
        resolved = Aged(installation(credential_headers=SECRET), time.monotonic() - nearly)
        made.installations.resolved.memory.put(key, resolved)
    x = proxy_parts.exchange(headers)
    params = {"name": tool, "arguments": {"n": 1}}
    x.body = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    return x


async def run(x: Exchange, deps: Deps) -> None:
    """The stages as the pipeline runs them, to the end of `compose_headers`."""
    for stage in AT_HEADERS:
        if (pending := stage(x, deps)) is not None:
            await pending
    parse(x, deps)
    method = method_of(x)
    assert isinstance(method, FromServer)
    for stage in (method.choose, *DECIDED):
        if (pending := stage(x, deps)) is not None:
            await pending


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


async def test_a_call_that_would_be_allowed_is_composed_with_its_credential_and_leaves_no_trace(
    made: Worker, asked: list[str]
) -> None:
    x = call(made)
    before = traces(made)
    await run(x, dry_parts(made))
    assert x.outbound is not None
    assert (x.outbound.method, x.outbound.params) == ("tools/call", {"name": "t", "arguments": {"n": 1}})
    assert x.outbound.headers["authorization"] == "Bearer a-servers-own"
    assert (traces(made), asked) == (before, [])


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("quarantined", {"tool": "bad"}),
        ("credential_unavailable", {"installed": False}),
        ("not_authenticated", {"token": None}),
        ("not_authenticated", {"token": "arch_nonsense"}),
        ("cannot_authenticate", {"token": proxy_parts.new_token()}),
    ],
    ids=["by a rule", "without a credential", "without a token", "with what is no token", "with an unknown token"],
)
async def test_a_call_that_would_be_refused_is_refused_so_and_leaves_no_trace(
    made: Worker, asked: list[str], reason: str, said: dict[str, Any]
) -> None:
    x = call(made, **said)
    before = traces(made)
    with pytest.raises(Refusal, match=reason):
        await run(x, dry_parts(made))
    assert x.outbound is None
    assert (traces(made), asked) == (before, [])


async def test_a_worker_that_has_no_room_explains_all_the_same(made: Worker, asked: list[str]) -> None:
    made.overload.sheds = True
    made.usage.running.take("user:greedy", 10_000, most=10_000, share=10_000)
    x = call(made)
    before = traces(made)
    await run(x, dry_parts(made))
    assert (traces(made), asked) == (before, [])


async def test_the_same_stages_act_through_the_workers_own_parts(made: Worker, asked: list[str]) -> None:
    made.overload.sheds = True
    x = call(made)
    before = traces(made)
    await run(x, made.deps)
    after = traces(made)
    assert {name for name in before if before[name] != after[name]} == {
        "counts", "uses", "gateways", "usage", "overload", "names", "tasks",
    }  # fmt: skip
