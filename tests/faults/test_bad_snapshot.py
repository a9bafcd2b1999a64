"""A snapshot that must not be used is published: rejected whole, the old one kept, and told.

DESIGN 3: "Nothing read from Redis or disk is believed without its signature or seal, with kind, name, owner and
revision bound in", and 1: a proxy "swaps it whole". The test publishes with the deployment's own key, as control
does, a revision that control itself does not know; so control, which the proxy then asks, has nothing newer to give.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from hypothesis import strategies as st

from core.changes import Change, sign_change
from core.identifiers import new_id
from core.keys import new_key, parse_key_ring
from core.redis_names import CHANGES, CHANGES_HEAD, INDEX, snapshot_key
from core.signing import Signer, Verifier
from core.snapshot import FORMAT, Gateway, open_gateway, sign_gateway
from tests.faults.exploring import explore
from tests.fixtures_postgres import Server
from tests.fixtures_program import eventually
from tests.fixtures_system import System, running_system

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Publishing:
    """Publishes as control does, whatever it is given. `desk` is the gateway under attack, `marker` tells when the
    proxy has read everything before it: events are applied in their order."""

    def __init__(self, system: System, marker_id: str) -> None:
        self.system, self.signer = system, system.signer
        self._verifier = Verifier("ARCHWAY_VERIFY_KEYS", self.signer.public_keys)
        with system.redis.client() as client:
            epoch, number = client.hmget(CHANGES_HEAD, "epoch", "number")
        self._epoch, self._number = epoch.decode(), int(number)
        self.desk, self.marker = self._stored(system.gateway["id"]), self._stored(marker_id)

    def _stored(self, gateway_id: str) -> Gateway:
        with self.system.redis.client() as client:
            return open_gateway(client.hget(snapshot_key(gateway_id), "document"), gateway_id, self._verifier)

    def next_desk(self, **changed: Any) -> Gateway:
        """The gateway as it would be next; half of it would show."""
        self.desk = msgspec.structs.replace(self.desk, revision=self.desk.revision + 1)
        return msgspec.structs.replace(self.desk, **{"instructions": "changed", "tools": [], **changed})

    def store(self, gateway_id: str, revision: int, document: bytes) -> None:
        with self.system.redis.client() as client:
            client.hset(snapshot_key(gateway_id), mapping={"revision": revision, "document": document})
        self.announce(gateway_id, revision)

    def announce(self, gateway_id: str, revision: int) -> None:
        self._number += 1
        event = sign_change(Change(self._epoch, self._number, "gateway", gateway_id, revision), self.signer)
        with self.system.redis.client() as client, client.pipeline(transaction=True) as both:
            both.xadd(CHANGES, {"n": self._number, "e": event})
            both.hset(CHANGES_HEAD, "number", self._number)
            both.execute()

    async def everything_is_read(self) -> None:
        self.marker = msgspec.structs.replace(
            self.marker, revision=self.marker.revision + 1, instructions=f"read up to {self._number}"
        )
        self.store(self.marker.id, self.marker.revision, sign_gateway(self.marker, self.signer))

        async def is_read() -> bool:
            told = await self.system.instructions(self.system.people[0], gateway="marker")
            return told == self.marker.instructions

        await eventually(is_read, 60, "the proxy has read what was announced before")

    async def unchanged(self) -> None:
        """The gateway is served as it was: its list, its words, its calls."""
        caller = self.system.people[0]
        listed = await self.system.ask("tools/list", token=caller.token)
        assert [tool["name"] for tool in listed.result["tools"]] == ["echo"]
        assert await self.system.instructions(caller) == ""
        assert (await self.system.call(caller)).status == "ok"

    async def refused(self, document: bytes) -> None:
        """Publish it as the gateway's next revision; nothing of it may show."""
        before = self.desk.revision
        self.store(self.desk.id, before, document)
        await self.everything_is_read()
        await self.unchanged()

    async def alarm(self) -> None:
        async def is_counted() -> bool:
            return self.system.proxies[0].counted("archway_snapshots_rejected_total") > 0

        await eventually(is_counted, 60, "rejected snapshots are counted")
        assert "was rejected" in self.system.proxies[0].log


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def publishing(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Publishing]:
    folder = tmp_path_factory.mktemp("system")
    async with running_system(folder, postgres, people=1, soft_age=60.0, max_stale=3600.0) as system:
        marker = await system.add_gateway("marker")
        for gateway in ("desk", "marker"):
            assert (await system.call(system.people[0], gateway=gateway)).status == "ok"
        yield Publishing(system, marker["id"])


def mutated(original: bytes) -> st.SearchStrategy[bytes]:
    """The same with something wrong: bytes changed, cut out, doubled, cut off, added."""
    places = st.integers(0, len(original) - 1)
    spans = st.tuples(places, places).map(sorted)
    return st.one_of(
        st.tuples(places, st.integers(1, 255)).map(
            lambda at: original[: at[0]] + bytes([original[at[0]] ^ at[1]]) + original[at[0] + 1 :]
        ),
        spans.map(lambda cut: original[: cut[0]] + original[cut[1] :]),
        spans.map(lambda twice: original[: twice[1]] + original[twice[0] :]),
        places.map(lambda end: original[:end]),
        st.binary(min_size=1, max_size=64).map(lambda more: original + more),
        st.binary(max_size=256),
    ).filter(lambda changed: changed != original)


@pytest.mark.parametrize("case", [pytest.param("", id="F-6: mutated bytes")])
async def test_a_snapshot_with_any_byte_changed_is_refused_whole(publishing: Publishing, case: str) -> None:
    """ "Nothing ... is believed without its signature": whatever is changed in a good newer snapshot."""
    good = sign_gateway(publishing.next_desk(), publishing.signer)
    await explore(mutated(good), publishing.refused, most=60)
    await publishing.alarm()


@pytest.mark.parametrize("case", [pytest.param("", id="F-6: another gateway's snapshot")])
async def test_the_snapshot_of_another_gateway_is_refused(publishing: Publishing, case: str) -> None:
    """ "with kind, name ... bound in": control's own signature, under another gateway's name."""
    other = msgspec.structs.replace(publishing.marker, revision=publishing.next_desk().revision)
    await publishing.refused(sign_gateway(other, publishing.signer))


@pytest.mark.parametrize("case", [pytest.param("", id="F-6: signed by a stranger")])
async def test_a_snapshot_signed_with_another_key_is_refused(publishing: Publishing, case: str) -> None:
    """ "a Redis in an attacker's hands can withhold news but never invent it"."""
    stranger = Signer(parse_key_ring("KEY", new_key()))
    await publishing.refused(sign_gateway(publishing.next_desk(), stranger))


def unusable(publishing: Publishing) -> list[Callable[[], bytes]]:
    """Documents that control's key signed, and that no proxy can use."""
    signer, desk = publishing.signer, publishing.desk
    tool = desk.tools[0]
    return [
        lambda: sign_gateway(publishing.next_desk(tools=[tool, tool]), signer),
        lambda: sign_gateway(publishing.next_desk(format=FORMAT + 1), signer),
        lambda: signer.sign(msgspec.msgpack.encode(publishing.next_desk(id=new_id())), "gateway", desk.id),
        lambda: signer.sign(b"", "gateway", desk.id),
        lambda: signer.sign(msgspec.msgpack.encode({"id": desk.id}), "gateway", desk.id),
        lambda: signer.sign(msgspec.msgpack.encode(publishing.next_desk())[:-1], "gateway", desk.id),
    ]


@pytest.mark.parametrize("case", [pytest.param("", id="F-6: signed but unusable")])
async def test_a_signed_snapshot_that_no_proxy_can_use_changes_nothing(publishing: Publishing, case: str) -> None:
    """A proxy "swaps it whole": a control of a later version, or one with a defect, takes no gateway away."""
    for make in unusable(publishing):
        _ = publishing.next_desk()
        await publishing.refused(make())


@pytest.mark.parametrize("case", [pytest.param("", id="F-6: mutated index")])
async def test_a_changed_index_takes_no_gateway_away(publishing: Publishing, case: str) -> None:
    """ "`unknown gateway` needs the index of the current epoch; without it the proxy asks control": a broken index is
    no index, takes nothing away that is held, and control says what there is and what there is not."""
    with publishing.system.redis.client() as client:
        good = client.hget(INDEX, "document")

    async def refused(document: bytes) -> None:
        with publishing.system.redis.client() as client:
            client.hset(INDEX, "document", document)
        publishing.announce(new_id(), 1)  # a gateway that the index does not have: it is read again
        await publishing.everything_is_read()
        await publishing.unchanged()
        strange = await publishing.system.call(publishing.system.people[0], gateway="nobody-knows")
        assert strange.status == "http 404"

    await explore(mutated(good), refused, most=30)
    with publishing.system.redis.client() as client:
        client.hset(INDEX, "document", good)


async def test_a_good_snapshot_is_taken_after_all_the_bad_ones(publishing: Publishing) -> None:
    """The road was open all the time: what was refused was refused for what it was."""
    good = publishing.next_desk()
    publishing.store(good.id, good.revision, sign_gateway(good, publishing.signer))
    await publishing.everything_is_read()
    assert await publishing.system.instructions(publishing.system.people[0]) == "changed"
