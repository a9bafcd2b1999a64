import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core import redis_names
from core.gateway_answers import GatewayAnswer, GatewayQuestion, IndexAnswer
from core.keys import new_key, parse_key_ring
from core.signing import Signer, Verifier
from core.snapshot import FORMAT, Gateway, Index, IndexRow, sign_gateway, sign_index
from core.tasks import Tasks
from proxy.caches.disk_copy import DiskCopy
from proxy.caches.two_ages import SourceUnreachable
from proxy.gateways import holder as holder_module
from proxy.gateways.holder import Gateways
from proxy.redis import Redis
from proxy.refusals import Refusal
from proxy.resolve.control_pulse import ControlPulse
from tests.fakes.call_parts import gateway

SIGNER = Signer(parse_key_ring("signing", new_key()))
KEYS = parse_key_ring("proxy", new_key())


@dataclass
class Control:
    """What control says about gateways."""

    gateways: list[Gateway] = field(default_factory=list)
    down: bool = False
    asked: int = 0
    signer: Signer = SIGNER
    pulse: ControlPulse = field(default_factory=ControlPulse)
    retired: dict[str, str] = field(default_factory=dict)
    """Slugs of before, with the identifier of the gateway that had them."""

    async def gateway(self, question: GatewayQuestion) -> GatewayAnswer:
        self._ask()
        for one in self.gateways:
            if question.name in (one.id, one.slug) or self.retired.get(question.name) == one.id:
                return GatewayAnswer(one.id, sign_gateway(one, self.signer))
        return GatewayAnswer()

    async def index(self) -> IndexAnswer:
        self._ask()
        rows = [IndexRow(one.id, one.slug, one.revision) for one in self.gateways]
        return IndexAnswer(sign_index(Index(FORMAT, "epoch", 1, rows), self.signer))

    def _ask(self) -> None:
        self.asked += 1
        if self.down:
            raise SourceUnreachable


def holder(control: Control, **fields: Any) -> Gateways:
    verifier = Verifier("keys", SIGNER.public_keys)
    values = {"soft_age": 0.0, "max_stale": 60.0, "unknown_per_second": 100.0} | fields
    tasks = Tasks("test", quiet=(SourceUnreachable,))
    return Gateways(control, Redis("redis://127.0.0.1:1/0"), verifier, tasks=tasks, **values)  # type: ignore[arg-type]  # the two questions


async def refused(held: Gateways, name: str) -> str:
    with pytest.raises(Refusal) as refusal:
        await held.load(name, "address")
    return refusal.value.reason


def save(held: Gateways, disk: DiskCopy) -> None:
    write = held.pending_write(disk)
    assert write is not None
    write()


async def test_a_gateway_is_loaded_once_and_found_by_both_names() -> None:
    one = gateway(slug="one")
    control = Control([one])
    held = holder(control)
    assert held.held("one") is None
    loaded = await held.load("one", "address")
    assert held.held("one") is held.held(one.id) is loaded
    assert control.asked == 1


async def test_a_gateway_is_found_by_a_slug_that_it_had_before_until_another_has_it() -> None:
    one = gateway(slug="new")
    control = Control([one], retired={"old": one.id})
    held = holder(control)
    loaded = await held.load("old", "address")
    assert held.held("old") is held.held("new") is loaded
    assert held.all() == [loaded]
    assert control.asked == 1

    control.gateways[0] = newer = gateway(id=one.id, slug="new", revision=2)
    await held.refresh(one.id, 2)
    assert held.held("old") is None  # asked for again: it may have gone to another
    assert (await held.load("old", "address")).snapshot == newer

    control.retired.clear()
    control.gateways.append(gateway(slug="old"))
    await held.load(control.gateways[1].id, "address")
    other = held.held("old")
    assert other is not None
    assert other.snapshot == control.gateways[1]
    held.forget(one.id)
    assert held.held("old") is other
    held.forget(other.id)
    assert (held.held("old"), held.all()) == (None, [])


async def test_a_slug_of_before_leads_to_the_gateway_that_has_it_now_once_that_is_heard_of() -> None:
    one = gateway(slug="new")
    control = Control([one], retired={"old": one.id})
    held = holder(control)
    loaded = await held.load("old", "address")
    await held.compare("epoch")
    assert held.held("old") is loaded  # nobody else has it

    control.retired.clear()
    control.gateways.append(other := gateway(slug="old"))
    await held.refresh(other.id, other.revision)
    assert held.unseen
    await held.compare("epoch")

    assert held.held("old") is None
    assert (await held.load("old", "address")).id == other.id
    assert not loaded.stands  # nor does what was decided of calls by the old URL
    still = held.held("new")
    assert still is held.held(one.id)
    assert still is not None
    assert (still.stands, still.snapshot) == (True, one)


async def test_an_unknown_name_is_remembered_for_a_moment() -> None:
    control = Control()
    held = holder(control)
    assert [await refused(held, "nothing") for _ in range(3)] == ["gateway_unknown"] * 3
    assert control.asked == 1


async def test_strangers_names_have_a_budget() -> None:
    held = holder(Control(), unknown_per_second=4.0)
    reasons = [await refused(held, f"name-{number}") for number in range(10)]
    assert reasons.count("overloaded") >= 5


async def test_without_a_current_index_nobody_can_say_that_there_is_no_such_gateway() -> None:
    control = Control(down=True)
    held = holder(control)
    assert await refused(held, "g") == "gateway_unavailable"
    control.down = False
    assert await held.compare("epoch")
    control.down = True
    assert await refused(held, "g") == "gateway_unknown"


async def test_an_older_revision_replaces_nothing() -> None:
    new = gateway(slug="g", revision=5)
    control = Control([new])
    held = holder(control)
    await held.load("g", "address")
    control.gateways = [gateway(slug="g", id=new.id, revision=4)]
    await held.refresh(new.id, 6)
    loaded = held.held("g")
    assert loaded is not None
    assert loaded.snapshot.revision == 5


async def test_a_newer_revision_is_swapped_in_under_its_new_slug() -> None:
    old = gateway(slug="old")
    control = Control([old])
    held = holder(control)
    await held.load("old", "address")
    control.gateways = [gateway(slug="new", id=old.id, revision=2)]
    await held.refresh(old.id, 2)
    assert held.held("old") is None
    assert held.held("new") is held.held(old.id) is not None
    assert len(held.all()) == 1


async def test_what_another_key_signed_is_rejected_whole_and_what_we_hold_stays() -> None:
    one = gateway(slug="g")
    control = Control([one])
    held = holder(control)
    kept = await held.load("g", "address")
    control.signer = Signer(parse_key_ring("other", new_key()))
    control.gateways = [gateway(slug="g", id=one.id, revision=2)]
    await held.refresh(one.id, 2)
    assert held.held("g") is kept
    assert held.rejected == 1


async def test_a_gateway_that_the_index_lacks_is_forgotten() -> None:
    control = Control([gateway(slug="g")])
    held = holder(control)
    await held.load("g", "address")
    control.gateways = []
    assert await held.compare("epoch")
    assert held.held("g") is None


async def test_a_gateway_too_long_unconfirmed_is_not_used() -> None:
    control = Control([gateway(slug="g")])
    held = holder(control, max_stale=30.0)
    loaded = await held.load("g", "address")
    loaded.confirmed -= 31
    assert held.held("g") is None


async def test_the_copy_on_disk_serves_while_nobody_can_be_asked(tmp_path: Path) -> None:
    disk = DiskCopy(str(tmp_path), KEYS)
    before = holder(Control([gateway(slug="g")]))
    await before.load("g", "address")
    save(before, disk)
    after = holder(Control(down=True))
    after.load_disk(disk)
    assert (await after.load("g", "address")).snapshot.slug == "g"
    too_old = holder(Control(down=True), max_stale=-61.0)  # below what clocks may differ by
    too_old.load_disk(disk)
    assert await refused(too_old, "g") == "gateway_unavailable"


async def test_each_snapshot_is_written_once_and_only_after_a_change(tmp_path: Path) -> None:
    disk = DiskCopy(str(tmp_path), KEYS)
    one = gateway(slug="g")
    held = holder(Control([one]))
    assert held.pending_write(disk) is None
    await held.load("g", "address")
    save(held, disk)
    assert list(disk.read("gateways")) == [one.id]
    assert held.pending_write(disk) is None
    held.forget(one.id)
    save(held, disk)
    assert disk.read("gateways") == {}


async def test_what_is_written_is_what_was_held_when_the_copy_was_made(tmp_path: Path) -> None:
    disk = DiskCopy(str(tmp_path), KEYS)
    control = Control([gateway(slug="a"), gateway(slug="b")])
    held = holder(control)
    await held.load("a", "address")
    write = held.pending_write(disk)
    await held.load("b", "address")
    assert write is not None
    write()
    assert list(disk.read("gateways")) == [control.gateways[0].id]
    assert held.pending_write(disk) is not None, "b is not on disk yet"


async def test_beyond_so_many_gateways_the_longest_unused_goes_with_its_document(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(holder_module, "MOST_HELD", 2)
    control = Control([gateway(slug=slug) for slug in ("a", "b", "c")])
    held = holder(control)
    await held.load("a", "address")
    await held.load("b", "address")
    assert held.held("a") is not None
    await held.load("c", "address")
    assert [held.held(slug) is not None for slug in ("a", "b", "c")] == [True, False, True]
    assert len(held._documents) == len(held.all()) == 2
    assert (await held.load("b", "address")).snapshot.slug == "b"


async def test_beyond_so_many_bytes_of_documents_the_longest_unused_goes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    control = Control([gateway(slug=slug) for slug in ("a", "b", "c")])
    held = holder(control)
    await held.load("a", "address")
    monkeypatch.setattr(holder_module, "MOST_HELD", 40)
    monkeypatch.setattr(holder_module, "MOST_BYTES", held._document_bytes * 5 // 2)
    await held.load("b", "address")
    assert held.held("a") is not None
    await held.load("c", "address")
    assert [held.held(slug) is not None for slug in ("a", "b", "c")] == [True, False, True]
    assert held._document_bytes == sum(len(document) for document in held._documents.values())
    monkeypatch.setattr(holder_module, "MOST_BYTES", 1)
    await held.load("b", "address")
    assert [one.snapshot.slug for one in held.all()] == ["b"], "one that is larger than all is served all the same"


class OldRedis:
    """A Redis that gives a genuine index of long ago, whatever is asked."""

    away = False

    def __init__(self, *gateways: Gateway) -> None:
        rows = [IndexRow(one.id, one.slug, one.revision) for one in gateways]
        self.index = sign_index(Index(FORMAT, "epoch", 1, rows), SIGNER)
        self.documents = {redis_names.snapshot_key(one.id): one for one in gateways}
        self.asked = 0
        self.commands = self

    def hget(self, _name: str, _field: str) -> bytes:
        self.asked += 1
        return self.index

    def hmget(self, name: str, *_fields: str) -> tuple[bytes | None, bytes | None]:
        one = self.documents.get(name)
        return (None, None) if one is None else (b"%d" % one.revision, sign_gateway(one, SIGNER))

    async def ask(self, answer: Any) -> Any:
        return answer


async def test_an_old_index_in_redis_keeps_no_gateway_that_control_has_changed_or_deleted() -> None:
    changed, deleted = gateway(slug="changed"), gateway(slug="deleted")
    control = Control([changed, deleted])
    held = holder(control)
    held._redis = held._newest.redis = OldRedis(changed, deleted)  # type: ignore[assignment]  # the two commands
    await held.load("changed", "address")
    await held.load("deleted", "address")
    control.gateways = [gateway(slug="changed", id=changed.id, revision=2)]
    assert await held.compare("epoch")
    assert held.held("deleted") is None
    found = held.held("changed")
    assert found is not None
    assert found.snapshot.revision == 2


async def test_what_only_redis_vouches_for_is_not_served_beyond_the_hard_age() -> None:
    control = Control([gateway(slug="g")])
    held = holder(control)
    held._redis = held._newest.redis = OldRedis(*control.gateways)  # type: ignore[assignment]  # the two commands
    loaded = await held.load("g", "address")
    control.down = True
    loaded.confirmed -= 61
    held._newest.confirmed -= 61
    assert await held.compare("epoch")
    assert held.held("g") is None
    assert await refused(held, "g") in {"gateway_unavailable", "gateway_unknown"}


async def test_what_nobody_called_since_the_start_is_in_the_next_copy_too(tmp_path: Path) -> None:
    disk = DiskCopy(str(tmp_path), KEYS)
    before = holder(Control([gateway(slug="a"), gateway(slug="b")]))
    for slug in ("a", "b"):
        await before.load(slug, "address")
    save(before, disk)
    disk.close()
    for _ in range(2):
        own = DiskCopy(str(tmp_path), KEYS)
        later = holder(Control(down=True))
        later.load_disk(own)
        await later.load("a", "address")
        save(later, own)
        own.close()
    last = holder(Control(down=True))
    last.load_disk(DiskCopy(str(tmp_path), KEYS))
    assert (await last.load("b", "address")).snapshot.slug == "b"


async def test_a_control_that_is_silent_holds_nobody_up_whose_gateway_is_on_disk(tmp_path: Path) -> None:
    disk, one = DiskCopy(str(tmp_path), KEYS), gateway(slug="g")
    before = holder(Control([one]))
    await before.load("g", "address")
    save(before, disk)

    class Silent(Control):
        answers = asyncio.Event()

        async def gateway(self, question: GatewayQuestion) -> GatewayAnswer:
            await self.answers.wait()
            return await super().gateway(question)

    control = Silent([])
    control.pulse.fails()
    after = holder(control)
    after.load_disk(disk)
    assert (await after.load("g", "address")).snapshot.slug == "g"
    assert after.held("g") is not None
    control.answers.set()
    await asyncio.gather(*after._loading._running.values())
    assert after.held("g") is None, "control has said meanwhile that there is none"


async def on_disk(tmp_path: Path, one: Gateway) -> DiskCopy:
    """A copy on disk, in which the gateway stands as it is now."""
    disk, before = DiskCopy(str(tmp_path), KEYS), holder(Control())
    await before._take(one.id, sign_gateway(one, SIGNER))
    save(before, disk)
    return disk


def late_holder(control: Control, disk: DiskCopy, *in_redis: Gateway) -> Gateways:
    """The holder of a worker that has just begun, while control does not answer in time."""
    control.pulse.fails()
    held = holder(control)
    held.load_disk(disk)
    held._redis = held._newest.redis = OldRedis(*in_redis)  # type: ignore[assignment]  # the two commands
    return held


@pytest.mark.parametrize("name", ["g", "its identifier"])
@pytest.mark.parametrize("kept", [1, 7, 8])
async def test_what_is_announced_and_lies_in_redis_goes_before_the_copy_on_disk(
    tmp_path: Path, name: str, kept: int
) -> None:
    new = gateway(slug="g", revision=8)
    disk = await on_disk(tmp_path, gateway(slug="g", id=new.id, revision=kept))
    held = late_holder(Control(down=True), disk, new)
    assert await held.compare("epoch")
    assert (await held.load("g" if name == "g" else new.id, "address")).snapshot.revision == 8


@pytest.mark.parametrize(("kept", "announced", "served"), [(7, 8, False), (1, 2, False), (8, 8, True), (9, 8, True)])
@pytest.mark.parametrize("by", ["the index", "an event", "an event of a gateway that the index lacks"])
async def test_a_copy_on_disk_older_than_what_was_announced_never_serves(
    tmp_path: Path, kept: int, announced: int, served: bool, by: str
) -> None:
    old = gateway(slug="g", revision=kept)
    indexed = {"the index": [gateway(slug="g", id=old.id, revision=announced)], "an event": [old]}.get(by, [])
    held = late_holder(Control(down=True), await on_disk(tmp_path, old), *indexed)
    await held.compare("epoch")
    held._redis.documents.clear()  # type: ignore[attr-defined]  # of the fake
    await held.refresh(old.id, announced)
    if served:
        assert (await held.load("g", "address")).snapshot.revision == kept
    else:
        assert await refused(held, "g") == "gateway_unavailable"
    assert (held.held("g") is not None) is served


async def test_a_document_that_redis_calls_newer_than_it_is_serves_nobody() -> None:
    old = gateway(slug="g", revision=7)
    held = holder(Control(down=True))
    redis = OldRedis(gateway(slug="g", id=old.id, revision=8))
    held._redis = held._newest.redis = redis  # type: ignore[assignment]  # the two commands
    assert await held.compare("epoch")
    redis.hmget = lambda *_: (b"8", sign_gateway(old, SIGNER))  # type: ignore[method-assign]  # a Redis that lies
    assert await refused(held, "g") == "gateway_unavailable"
    assert held.held("g") is None


async def test_a_late_control_is_waited_for_where_the_copy_on_disk_is_too_old(tmp_path: Path) -> None:
    new = gateway(slug="g", revision=8)
    held = late_holder(Control([new]), await on_disk(tmp_path, gateway(slug="g", id=new.id, revision=7)))
    await held.refresh(new.id, 8)
    assert (await held.load("g", "address")).snapshot.revision == 8
