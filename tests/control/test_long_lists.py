"""Lists of many pages, from a server that pages to the entry's rows: real proxy, real PostgreSQL, nothing between."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from control.accounts.renewals import Renewals
from control.changes.safeguards import Safeguards
from control.credentials.usable import Usable
from control.discovery.discover import Discoverer
from control.discovery.probe_client import ProbeClient
from control.providers.asking import Asker
from control.proxies import Proxies
from control.registry.row_seals import RowSeals
from control.store import entries, installations, tools
from control.store.pool import Pool, transaction
from control.store.writes import entries as entry_rows
from control.store.writes import installations as installation_rows
from control.store.writing import Writing
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.identifiers import new_id
from core.internal_call import InternalCalls
from core.keys import new_key, parse_key_ring
from proxy.upstream.list_answers import MAX_PAGES
from proxy.worker import Worker, listening
from tests.fakes.control import FakeControl
from tests.fakes.mcp_upstream import Answer, Era, McpUpstream, Received
from tests.fakes.registry import an_entry, an_installation
from tests.proxy.conftest import settings_for

LOOPBACK = AddressPolicy(parse_networks("127.0.0.0/8"))
SECRET_RING = parse_key_ring("ARCHWAY_SECRET_KEY", new_key())
FIRST = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}


@pytest.fixture
async def discoverer(pool: Pool) -> AsyncIterator[Discoverer]:
    async with FakeControl() as control, Egress(LOOPBACK) as egress:
        worker = Worker(settings_for(control, "redis://127.0.0.1:1/0"))
        async with listening(worker) as (_, port):
            calls = InternalCalls(control.ring, caller="control", answerer="proxy")
            safeguards = Safeguards(RowSeals(SECRET_RING), LOOPBACK)
            usable = Usable(safeguards.seals, Renewals(pool, Asker(egress, LOOPBACK), safeguards.seals))
            probes = ProbeClient(Proxies(egress, [f"http://127.0.0.1:{port}"], calls))
            yield Discoverer(pool, probes, safeguards, usable)
        await worker.close()


class Listing:
    """An entry and an installation of one server, and what discoveries keep of it."""

    def __init__(self, pool: Pool, discoverer: Discoverer) -> None:
        self._pool, self._discoverer = pool, discoverer
        self._entry, self._installation = new_id(), new_id()

    async def of(self, server: McpUpstream) -> "Listing":
        async with transaction(self._pool) as session:
            await entry_rows.insert(Writing(session), self._entry, an_entry(server.url, slug="many", name="Many"))
            one = an_installation(entry_id=self._entry, bound_url=server.url)
            await installation_rows.insert(Writing(session), self._installation, one)
        return self

    async def discover(self) -> list[str]:
        """The names of the entry's tools that are there, in the order in which they are listed."""
        assert await self._discoverer.discover(self._installation) is not None
        async with transaction(self._pool, readonly=True) as session:
            rows = await tools.page(session, self._entry, limit=10_000, after=None)
        return [row.name for row in rows if row.missing_since is None]

    async def state(self) -> tuple[str, str]:
        async with transaction(self._pool, readonly=True) as session:
            row = await installations.one(session, self._installation)
        assert row is not None
        return row.state, row.state_reason

    async def told(self) -> dict[str, Any]:
        """What the entry says of its latest discovery; the installation says the same."""
        async with transaction(self._pool, readonly=True) as session:
            entry = await entries.one(session, self._entry)
            row = await installations.one(session, self._installation)
        assert entry is not None
        assert row is not None
        same = ("tools", "rejected", "notes")
        assert {name: entry.discovery[name] for name in same} == {name: row.server[name] for name in same}
        return dict(entry.discovery)


@pytest.fixture
def listing(pool: Pool, discoverer: Discoverer) -> Listing:
    return Listing(pool, discoverer)


def names(first: int, last: int) -> list[str]:
    return [f"tool_{number:05}" for number in range(first, last)]


def page(of: list[str], cursor: str | None = None) -> Answer:
    listed = [{"name": name, "inputSchema": {"type": "object"}} for name in of]
    return Answer(result={**FIRST, "tools": listed, **({} if cursor is None else {"nextCursor": cursor})})


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_three_thousand_tools_on_three_hundred_pages_are_all_kept_once_and_in_the_same_order(
    listing: Listing, era: Era
) -> None:
    async with McpUpstream(era=era, page_size=10) as server:
        server.drop_tool("echo")
        for name in names(0, 3_000):
            server.tool(name, Answer(text="x"))
        await listing.of(server)
        first = await listing.discover()
        again = await listing.discover()
        assert first == again == names(0, 3_000)
        assert len(server.seen_of("tools/list")) == 600
        assert server.complaints == []
    assert await listing.told() | {"rejected": [], "notes": [], "tools": 3_000} == await listing.told()


async def test_a_list_without_end_is_read_up_to_the_most_pages_and_that_is_said(listing: Listing) -> None:
    def endless(received: Received) -> Answer:
        at = int(received.params.get("cursor", "0"))
        return page(names(at, at + 2), cursor=str(at + 2))

    async with McpUpstream(era="modern") as server:
        server.on("tools/list", endless)
        assert await (await listing.of(server)).discover() == names(0, 2 * MAX_PAGES)
        assert len(server.seen_of("tools/list")) == MAX_PAGES
    told = f"Its list of tools has more than {MAX_PAGES} pages; read were the first {2 * MAX_PAGES}."
    assert (await listing.told())["notes"] == [{"name": "", "note": told}]


async def test_a_list_without_end_that_lists_the_same_again_has_each_tool_once_and_says_how_often_not(
    listing: Listing,
) -> None:
    async with McpUpstream(era="modern") as server:
        server.on("tools/list", lambda received: page(["a", "b"], str(int(received.params.get("cursor", 0)) + 1)))
        assert await (await listing.of(server)).discover() == ["a", "b"]
    told = await listing.told()
    assert told["rejected"][0]["reason"] == "The server lists this name more than once; the first one is kept."
    assert len(told["rejected"]) == 100
    left = 2 * MAX_PAGES - 2 - 100
    assert told["notes"][0] == {"name": "", "note": f"{left} more are left out than are named here."}
    assert f"more than {MAX_PAGES} pages" in told["notes"][1]["note"]


async def test_a_cursor_that_comes_again_ends_the_list_and_that_is_said(listing: Listing) -> None:
    following = {None: "one", "one": "two", "two": "one"}

    def round_and_round(received: Received) -> Answer:
        cursor = received.params.get("cursor")
        return page([f"after_{cursor}"], following[cursor])

    async with McpUpstream(era="modern") as server:
        server.on("tools/list", round_and_round)
        assert await (await listing.of(server)).discover() == ["after_None", "after_one", "after_two"]
        assert len(server.seen_of("tools/list")) == 3
    told = "Its list of tools has a cursor that came before; read were the first 3."
    assert (await listing.told())["notes"] == [{"name": "", "note": told}]


async def test_a_tool_that_a_change_half_way_lists_twice_is_kept_once_and_that_is_said(listing: Listing) -> None:
    async with McpUpstream(era="modern") as server:
        # While its pages are read, a tool comes that sorts before the others: all move on by one.
        server.on("tools/list", [page(names(1, 4), "3"), page(names(3, 6))])
        assert await (await listing.of(server)).discover() == names(1, 6)
    told = (await listing.told())["rejected"]
    why = "The server lists this name more than once; the first one is kept."
    assert told == [{"name": names(3, 4)[0], "reason": why}]


async def test_a_cursor_that_is_refused_half_way_costs_no_tool_that_was_known_and_the_reason_is_said(
    listing: Listing,
) -> None:
    async with McpUpstream(era="modern") as server:
        server.on("tools/list", [page(names(0, 6)), page(names(0, 3), "3"), Answer(error=(-32602, "Stale cursor"))])
        await listing.of(server)
        assert await listing.discover() == names(0, 6)
        assert await listing.discover() == names(0, 6)
    state, reason = await listing.state()
    assert state == "unreachable"
    assert "Stale cursor" in reason


async def test_tools_beyond_the_most_of_an_entry_are_the_last_ones_and_they_are_counted(listing: Listing) -> None:
    async with McpUpstream(era="modern", page_size=1_000) as server:
        server.drop_tool("echo")
        for name in names(0, 5_200):
            server.tool(name, Answer(text="x"))
        assert await (await listing.of(server)).discover() == names(0, 5_000)
    notes = [note["note"] for note in (await listing.told())["notes"]]
    assert notes == ["Its list of tools has more than 5000 items; read were the first 5000."]
