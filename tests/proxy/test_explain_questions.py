"""Control's question to a proxy: what would become of this call? Asked as control does, over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec
import pytest

from control.proxies import Proxies, ProxyAway
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.explain import PATH, Explained, ExplainQuestion
from core.internal_call import InternalCalls
from core.keys import KeyRing, new_key, parse_key_ring
from core.resolve import CallerVerdict, InstallationAnswer, Principal
from core.snapshot import Gateway
from proxy import internal
from proxy.worker import Worker, listening
from tests.fakes.control import FakeControl
from tests.proxy.conftest import settings_for

ADA = CallerVerdict("", Principal("user", "ada", "Ada"))
NOBODY_ANSWERS = "http://127.0.0.1:1"


@dataclass
class Asker:
    """A worker that answers control's questions, and control's end of them."""

    control: FakeControl
    worker: Worker
    egress: Egress
    url: str

    def proxies(self, *urls: str, ring: KeyRing | None = None) -> Proxies:
        calls = InternalCalls(ring or self.control.ring, caller="control", answerer="proxy")
        return Proxies(self.egress, urls or (self.url,), calls)

    async def explain(self, gateway: Gateway, tool: str = "t", *, proxies: Proxies | None = None) -> Explained:
        installation = self.control.installation("http://127.0.0.1:2/mcp")
        question = ExplainQuestion(gateway.id, ADA, tool, answer=InstallationAnswer(installation))
        asked = proxies or self.proxies()
        return await asked.ask(PATH, question, Explained, deadline=20.0, again="ask again")

    def gateway(self) -> Gateway:
        """A gateway that control has, and no proxy holds."""
        installation = self.control.installation("http://127.0.0.1:2/mcp")
        return self.control.gateway("g", [self.control.tool("t", "echo", installation)])


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    async with FakeControl() as control, Egress(AddressPolicy(parse_networks("127.0.0.0/8"))) as egress:
        worker = Worker(settings_for(control, "redis://127.0.0.1:1/0"))
        async with listening(worker) as (_, port):
            yield Asker(control, worker, egress, f"http://127.0.0.1:{port}")
        await worker.close()


async def test_a_call_is_explained_with_the_gateway_that_control_has_now(asker: Asker) -> None:
    told = await asker.explain(asker.gateway())
    assert (told.reason, told.tool, told.upstream) == ("", "t", "echo")
    assert (await asker.explain(asker.gateway(), "nothing")).sentence == "Unknown tool: nothing"
    assert asker.worker.gateways.all() == []


async def test_a_gateway_that_control_does_not_have_is_unknown(asker: Asker) -> None:
    gateway = asker.gateway()
    del asker.control.gateways[gateway.id]
    assert (await asker.explain(gateway)).reason == "gateway_unknown"


async def test_without_a_proof_of_control_nothing_is_answered(asker: Asker) -> None:
    stranger = asker.proxies(ring=parse_key_ring("ARCHWAY_PROXY_KEY", new_key()))
    with pytest.raises(ProxyAway, match="ARCHWAY_PROXY_KEY is the same"):
        await asker.explain(asker.gateway(), proxies=stranger)


async def test_where_control_cannot_be_asked_for_the_gateway_there_is_no_answer(asker: Asker) -> None:
    gateway = asker.gateway()
    await asker.control.stop()
    with pytest.raises(ProxyAway, match="ask again in a moment"):
        await asker.explain(gateway)


async def test_a_proxy_that_is_gone_is_passed_over(asker: Asker) -> None:
    proxies = asker.proxies(NOBODY_ANSWERS, asker.url)
    assert (await asker.explain(asker.gateway(), proxies=proxies)).reason == ""


async def test_only_so_many_are_explained_at_once(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = asyncio.Queue[None](), asyncio.Event()
    kind = asker.worker.internal._kinds[PATH]
    own = kind.answer

    async def explain(question: ExplainQuestion) -> msgspec.Struct:
        begun.put_nowait(None)
        await go_on.wait()
        return await own(question)

    monkeypatch.setattr(kind, "answer", explain)
    gateway = asker.gateway()
    async with asyncio.TaskGroup() as group:
        first = [group.create_task(asker.explain(gateway)) for _ in range(internal.MOST_EXPLAINED)]
        for _ in first:
            await begun.get()
        with pytest.raises(ProxyAway, match="as many such questions run"):
            await asker.explain(gateway)
        go_on.set()
    assert all(one.result().reason == "" for one in first)
