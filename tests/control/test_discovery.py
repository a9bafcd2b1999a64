"""Discovery against a real PostgreSQL and the internal listener of a proxy that answers what a test scripts."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import msgspec
import orjson
import pytest

from control.accounts.renewals import Renewals
from control.changes.safeguards import Safeguards
from control.credentials.usable import Usable
from control.discovery.discover import Discoverer, Discovery
from control.discovery.probe_client import ProbeClient
from control.providers.asking import Asker
from control.proxies import Proxies
from control.registry.access import Caller
from control.registry.entry import Remote
from control.registry.entry_tool import EntryTool
from control.registry.fields import Field
from control.registry.row_seals import RowSeals
from control.registry.tool_definitions import Found, found_tools
from control.store import entries, gateways, installations, tools
from control.store.pool import Pool, transaction
from control.store.writes import assignments as assignment_rows
from control.store.writes import entries as entry_rows
from control.store.writes import gateways as gateway_rows
from control.store.writes import installations as installation_rows
from control.store.writes import tools as tool_rows
from control.store.writing import Writing
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.identifiers import new_id
from core.internal_call import InternalCalls
from core.keys import new_key, parse_key_ring
from core.probes import Probe
from tests.fakes.probing_proxy import ProbingProxy
from tests.fakes.registry import BEARER, an_entry, an_installation, gateway_fields

PROXY_RING = parse_key_ring("ARCHWAY_PROXY_KEY", new_key())
SECRET_RING = parse_key_ring("ARCHWAY_SECRET_KEY", new_key())
ORIGIN = "https://time.example"


@pytest.fixture
async def proxy() -> AsyncIterator[ProbingProxy]:
    async with ProbingProxy(PROXY_RING) as running:
        yield running


@pytest.fixture
async def discoverer(pool: Pool, proxy: ProbingProxy) -> AsyncIterator[Discoverer]:
    async with Egress(AddressPolicy(parse_networks("127.0.0.0/8"))) as egress:
        calls = InternalCalls(PROXY_RING, caller="control", answerer="proxy")
        safeguards = Safeguards(RowSeals(SECRET_RING), AddressPolicy())
        asker = Asker(egress, AddressPolicy())
        usable = Usable(safeguards.seals, Renewals(pool, asker, safeguards.seals))
        yield Discoverer(pool, ProbeClient(Proxies(egress, [proxy.url], calls)), safeguards, usable)


async def make_entry(pool: Pool, **changes: Any) -> str:
    entry_id = new_id()
    async with transaction(pool) as session:
        wanted = an_entry(ORIGIN + "/mcp", slug="time", name="Time", **changes)
        await entry_rows.insert(Writing(session), entry_id, wanted)
    return entry_id


async def install(pool: Pool, entry_id: str, secrets: dict[str, str] | None = None, **changes: Any) -> str:
    installation_id = new_id()
    wanted = an_installation(
        entry_id=entry_id, secret_names=tuple(sorted(secrets or {})),
        secret_values=RowSeals(SECRET_RING).secret_values(installation_id, secrets or {}),
        **{"bound_url": f"{ORIGIN}/mcp", **changes},
    )  # fmt: skip
    async with transaction(pool) as session:
        await installation_rows.insert(Writing(session), installation_id, wanted)
    return installation_id


async def kept(pool: Pool, entry_id: str) -> dict[str, EntryTool]:
    async with transaction(pool, readonly=True) as session:
        return {tool.name: tool for tool in await tools.page(session, entry_id, limit=100, after=None)}


async def state(pool: Pool, installation_id: str) -> tuple[str, str]:
    async with transaction(pool, readonly=True) as session:
        row = await installations.one(session, installation_id)
        assert row is not None
        return row.state, row.state_reason


async def revision(pool: Pool, gateway_id: str) -> int:
    async with transaction(pool, readonly=True) as session:
        row = await gateways.one(session, gateway_id)
        assert row is not None
        return row.revision


async def gateway_with(pool: Pool, entry_id: str, tool: str) -> str:
    gateway_id = new_id()
    async with transaction(pool) as session:
        await gateway_rows.insert(Writing(session), gateway_id, gateway_fields(slug="desk", name="Desk"))
        (found,) = await tools.named(session, entry_id, [tool])
        await assignment_rows.insert(Writing(session), gateway_id, found.id, "time__" + tool, None)
    return gateway_id


async def test_tools_are_kept_with_the_entry_and_facts_with_the_installation(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool)
    installation_id = await install(pool, entry_id)
    proxy.offers("now", "convert")
    assert await discoverer.discover(installation_id) == Discovery("ready", "", 2, ())
    assert sorted(await kept(pool, entry_id)) == ["convert", "now"]
    async with transaction(pool, readonly=True) as session:
        row = await installations.one(session, installation_id)
    assert row is not None
    assert row.server["server_name"] == "fake"
    assert row.discovered_at is not None


async def test_the_proxy_is_given_the_credential_that_calls_will_have(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool, credential=BEARER)
    await discoverer.discover(await install(pool, entry_id, {"credential": "k3y"}))
    assert proxy.questions[0].installation.credential_headers == [("authorization", "Bearer k3y")]


async def test_a_tool_that_vanished_is_marked_and_one_that_came_back_is_not(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool)
    installation_id = await install(pool, entry_id)
    for names in (["now", "convert"], ["now"]):
        proxy.offers(*names)
        await discoverer.discover(installation_id)
    assert (await kept(pool, entry_id))["convert"].missing_since is not None
    proxy.offers("now", "convert")
    await discoverer.discover(installation_id)
    assert (await kept(pool, entry_id))["convert"].missing_since is None


async def test_a_quarantined_tool_stays_so_when_its_definition_changes(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool)
    installation_id = await install(pool, entry_id)
    proxy.offers("now")
    await discoverer.discover(installation_id)
    async with transaction(pool) as session:
        (tool,) = await tools.named(session, entry_id, ["now"])
        await tool_rows.set_state(Writing(session), tool.id, "quarantined")
    proxy.offers("now", title="Another")
    await discoverer.discover(installation_id)
    row = (await kept(pool, entry_id))["now"]
    assert (row.state, row.definition["title"]) == ("quarantined", "Another")


async def test_only_a_changed_definition_touches_the_gateways_that_carry_it(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool)
    installation_id = await install(pool, entry_id)
    proxy.offers("now")
    await discoverer.discover(installation_id)
    gateway_id = await gateway_with(pool, entry_id, "now")
    before = await revision(pool, gateway_id)
    await discoverer.discover(installation_id)
    assert await revision(pool, gateway_id) == before
    proxy.offers("now", title="Another")
    await discoverer.discover(installation_id)
    assert await revision(pool, gateway_id) == before + 1


async def test_an_unreachable_server_leaves_the_known_tools_and_the_reason(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool)
    installation_id = await install(pool, entry_id)
    proxy.offers("now")
    await discoverer.discover(installation_id)
    proxy.answer = Probe(fault="upstream_refused", sentence="time cannot be reached.")
    found = await discoverer.discover(installation_id)
    assert found == Discovery("unreachable", "time cannot be reached.")
    assert await state(pool, installation_id) == ("unreachable", "time cannot be reached.")
    assert list(await kept(pool, entry_id)) == ["now"]


async def test_a_fault_that_repeats_the_credential_does_not_show_it(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool, credential=BEARER)
    installation_id = await install(pool, entry_id, {"credential": "s3cr3t-key"})
    proxy.answer = Probe(fault="upstream_credential", sentence="It said: no such key s3cr3t-key")
    await discoverer.discover(installation_id)
    assert await state(pool, installation_id) == ("credential_refused", "It said: no such key <sealed>")


async def test_without_an_answering_proxy_the_reason_says_so(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    installation_id = await install(pool, await make_entry(pool))
    proxy.status = 503
    await discoverer.discover(installation_id)
    assert (await state(pool, installation_id))[1].startswith("No proxy answered")


async def test_an_installation_without_its_credential_asks_nobody(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool, credential=BEARER)
    found = await discoverer.discover(await install(pool, entry_id))
    assert found is not None
    assert found.state == "needs_sign_in"
    assert proxy.questions == []


async def test_secrets_bound_to_another_origin_are_never_sent(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool, credential=BEARER)
    installation_id = await install(pool, entry_id, {"credential": "k"}, bound_url="https://old.example/mcp")
    await discoverer.discover(installation_id)
    assert (await state(pool, installation_id))[0] == "needs_sign_in"
    assert proxy.questions == []


async def announced(pool: Pool) -> list[tuple[str, str]]:
    """What proxies hear of, since the last time that this was asked."""
    async with transaction(pool) as session:
        rows = await session.fetch("delete from outbox returning id, kind, name")
    return [(row["kind"], row["name"]) for row in sorted(rows, key=lambda row: row["id"])]


async def test_proxies_hear_once_that_an_installation_needs_a_sign_in(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    proxy.offers("now")
    entry_id = await make_entry(pool, credential=BEARER)
    installation_id = await install(pool, entry_id, {"credential": "k"}, bound_url="https://old.example/mcp")
    await discoverer.discover(installation_id)
    assert await announced(pool) == [("installation", installation_id)]
    await discoverer.discover(installation_id)
    assert await announced(pool) == []


async def test_what_was_asked_before_a_change_is_not_kept_after_it(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool)
    installation_id = await install(pool, entry_id)
    proxy.offers("now")
    proxy.hold = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(discoverer.discover(installation_id))
        await proxy.asked.wait()
        async with transaction(pool) as session:
            row = await entries.one(session, entry_id, lock=True)
            assert row is not None
            await entry_rows.update(
                Writing(session), entry_id, replace(row, reached=Remote("https://elsewhere.example/mcp"))
            )
        proxy.hold.set()
    assert asking.result() is None
    assert await kept(pool, entry_id) == {}


async def test_of_a_discovery_that_the_server_caused_a_failure_is_not_kept(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool)
    installation_id = await install(pool, entry_id)
    proxy.offers("now")
    await discoverer.discover(installation_id, heard=True)
    proxy.answer = Probe(fault="upstream_refused", sentence="It is away.")
    assert await discoverer.discover(installation_id, heard=True) == Discovery("unreachable", "It is away.")
    assert await state(pool, installation_id) == ("ready", "")


async def test_a_missing_installation_is_no_discovery(discoverer: Discoverer) -> None:
    assert await discoverer.discover(new_id()) is None


async def test_a_server_with_resources_only_becomes_tools_that_read_them(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool)
    proxy.answer = Probe(era="modern", version="2026-07-28", resources=[{"uri": "x://notes", "name": "notes"}])
    await discoverer.discover(await install(pool, entry_id))
    row = (await kept(pool, entry_id))["read_notes"]
    assert (row.kind, row.upstream_name) == ("resource", "x://notes")


async def test_hostile_definitions_do_not_stop_the_others(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool)
    installation_id = await install(pool, entry_id)
    nul = {"name": "nul", "inputSchema": {"type": "object", "title": orjson.loads('"a\\u0000b"')}}
    good: dict[str, object] = {"name": "good", "description": "a\x00b", "inputSchema": {"type": "object"}}
    proxy.answer = Probe(era="legacy", version="2025-11-25", tools=[nul, {"name": "p wn"}, good], server_name="x\x00")
    found = await discoverer.discover(installation_id)
    assert found is not None
    assert (found.state, found.tools, len(found.rejected)) == ("ready", 1, 2)
    assert list(await kept(pool, entry_id)) == ["good"]


async def test_a_tool_of_another_alphabet_is_kept_under_a_name_of_ours_and_called_by_its_own(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool)
    names = ["context7:query-docs", "two words", "\u67e5\u8be2", "x" * 200]
    proxy.offers(*names)
    await discoverer.discover(await install(pool, entry_id))
    found = await kept(pool, entry_id)
    assert sorted(row.upstream_name for row in found.values()) == sorted(names)
    async with transaction(pool, readonly=True) as session:
        (by_its_own,) = await tools.named(session, entry_id, ["context7:query-docs"])
        (by_ours,) = await tools.named(session, entry_id, ["context7_query-docs"])
    assert by_its_own == by_ours


async def test_a_row_says_of_which_fields_its_pin_is_made(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool)
    proxy.answer = Probe(era="legacy", tools=[{"name": "a", "inputSchema": {"type": "object"}, "_meta": {"x": 1}}])
    await discoverer.discover(await install(pool, entry_id))
    (tool,) = found_tools(proxy.answer.tools, []).tools
    async with transaction(pool, readonly=True) as session:
        row = await session.fetchrow("select definition_sha256, pin from entry_tools where entry_id = $1", entry_id)
    assert row is not None
    assert tool.is_as(row["definition_sha256"], row["pin"])


async def test_a_server_s_list_is_worked_through_beside_the_loop(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers: list[int] = []

    def noted(*given: Any) -> Found:
        workers.append(threading.get_ident())
        return found_tools(*given)

    monkeypatch.setattr("control.discovery.discover.found_tools", noted)
    proxy.offers("now")
    found = await discoverer.discover(await install(pool, await make_entry(pool)))
    assert found is not None
    assert found.tools == 1
    assert len(workers) == 1
    assert workers != [threading.get_ident()]


async def test_a_refused_credential_is_a_state_of_its_own_and_calls_go_on(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool, credential=BEARER)
    installation_id = await install(pool, entry_id, {"credential": "s3cr3t-key"})
    await announced(pool)
    proxy.answer = Probe(fault="upstream_credential", sentence="time does not accept it.")
    found = await discoverer.discover(installation_id)
    assert found == Discovery("credential_refused", "time does not accept it.")
    assert await announced(pool) == []
    proxy.offers("now")
    await discoverer.discover(installation_id)
    assert await state(pool, installation_id) == ("ready", "")


async def test_an_installation_whose_secrets_can_be_opened_again_leaves_its_state(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool, credential=BEARER)
    installation_id = await install(pool, entry_id, {"credential": "s3cr3t-key"})
    async with transaction(pool) as session:
        row = await session.fetchrow("select secret_values from installations where id = $1", installation_id)
        await session.execute("update installations set secret_values = 'x' where id = $1", installation_id)
    proxy.offers("now")
    await discoverer.discover(installation_id)
    assert (await state(pool, installation_id))[0] == "needs_sign_in"
    async with transaction(pool) as session:
        statement = "update installations set secret_values = $2 where id = $1"
        await session.execute(statement, installation_id, row["secret_values"])
    await announced(pool)
    await discoverer.discover(installation_id)
    assert await state(pool, installation_id) == ("ready", "")
    assert ("installation", installation_id) in await announced(pool)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (503, "as many such questions run as it takes at once"),
        (403, "check that ARCHWAY_PROXY_KEY is the same on both planes, and that their clocks agree"),
        (500, "check that one is running"),
    ],
)
async def test_a_proxy_that_gives_no_answer_is_told_with_what_is_known_of_it(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer, status: int, told: str
) -> None:
    installation_id = await install(pool, await make_entry(pool))
    proxy.status = status
    await discoverer.discover(installation_id)
    assert told in (await state(pool, installation_id))[1]


async def test_without_an_address_of_a_proxy_the_setting_is_named(pool: Pool) -> None:
    async with Egress(AddressPolicy()) as egress:
        calls = InternalCalls(PROXY_RING, caller="control", answerer="proxy")
        safeguards = Safeguards(RowSeals(SECRET_RING), AddressPolicy())
        asker = Asker(egress, AddressPolicy())
        usable = Usable(safeguards.seals, Renewals(pool, asker, safeguards.seals))
        discoverer = Discoverer(pool, ProbeClient(Proxies(egress, [], calls)), safeguards, usable)
        installation_id = await install(pool, await make_entry(pool))
        await discoverer.discover(installation_id)
    assert "ARCHWAY_PROXY_INTERNAL_URL" in (await state(pool, installation_id))[1]


async def test_what_was_cut_and_what_a_server_does_not_offer_is_told_on_installation_and_entry(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    entry_id = await make_entry(pool)
    installation_id = await install(pool, entry_id)
    proxy.offers("now", description="x" * 20_000)
    tools_told = msgspec.structs.replace(proxy.answer, notes=[("", "The list has more than 100 pages.")])
    for answer, told in (
        (tools_told, ["more than 100 pages", "description"]),
        (Probe(era="legacy", version="2025-11-25", capabilities=["prompts"]), ["what it offers: prompts"]),
        (Probe(era="legacy", version="2025-11-25"), ["what it offers: nothing"]),
        (Probe(era="legacy", version="2025-11-25", capabilities=["tools"]), ["The server lists no tools."]),
    ):
        proxy.answer = answer
        await discoverer.discover(installation_id)
        async with transaction(pool, readonly=True) as session:
            row, entry = await installations.one(session, installation_id), await entries.one(session, entry_id)
        assert row is not None
        assert entry is not None
        assert row.server["notes"] == entry.discovery["notes"]
        for words, note in zip(told, row.server["notes"], strict=True):
            assert words in note["note"]


async def test_what_a_discovery_says_is_recorded_of_whoever_asked(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    installation_id = await install(pool, await make_entry(pool))
    for names, asked_by in ((["now"], {}), (["then"], {"asked_by": Caller("", "Ann", "admin")})):
        proxy.offers(*names)
        await discoverer.discover(installation_id, **asked_by)
    async with transaction(pool, readonly=True) as session:
        rows = await session.fetch("select actor, action from audit order by xmin::text::bigint")
    assert [tuple(row) for row in rows] == [("the server", "discover"), ("Ann", "discover")]


async def test_an_installation_whose_answers_no_longer_fit_asks_nobody_until_they_do(
    pool: Pool, proxy: ProbingProxy, discoverer: Discoverer
) -> None:
    region = Field(name="region", type="string", header="x-region", required=True)
    entry_id = await make_entry(pool, fields=(region,))
    installation_id = await install(pool, entry_id)
    async with transaction(pool) as session:
        await installation_rows.set_state(Writing(session), installation_id, "needs_sign_in", "Give a region.")
    proxy.offers("now")
    await discoverer.discover(installation_id)
    assert (await state(pool, installation_id))[0] == "needs_sign_in"
    assert proxy.questions == []
    async with transaction(pool) as session:
        await session.execute(
            "update installations set plain_values = $2 where id = $1", installation_id, {"region": "eu"}
        )
    await discoverer.discover(installation_id)
    assert (await state(pool, installation_id))[0] == "ready"
