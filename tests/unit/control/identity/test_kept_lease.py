from __future__ import annotations

from control.changes import users
from control.changes.write import changing
from control.identity.kept_lease import Held, KeptLeases, Leased, Resting, Settled
from control.identity.token_endpoint import ProviderTokens
from control.providers.asking import DEADLINE_S
from control.store.lease_waits import LEASE_S
from tests.fakes.kept_sign_ins import ADMIN, KeptSignIns

NEXT = ProviderTokens("second", refresh_token="next", expires_at=1e10)


async def leased(rig: KeptSignIns, user_id: str) -> Leased:
    identity = await rig.identity(user_id)
    taken = await KeptLeases(rig.pool, rig.seals).take(identity.id, identity.tokens_version)
    assert isinstance(taken, Leased)
    return taken


async def test_one_at_a_time_may_ask(rig: KeptSignIns) -> None:
    ann = await rig.signed_in("ann")
    mine = await leased(rig, ann)
    assert 2 * DEADLINE_S < mine.left < LEASE_S
    leases = KeptLeases(rig.pool, rig.seals)
    assert await leases.take(mine.identity.id, mine.identity.tokens_version) == Held()
    await rig.execute("update identities set refresh_until = now() - interval '1 s'")  # its owner is gone
    assert isinstance(await leases.take(mine.identity.id, mine.identity.tokens_version), Leased)


async def test_who_comes_after_finds_what_was_kept(rig: KeptSignIns) -> None:
    ann = await rig.signed_in("ann")
    mine = await leased(rig, ann)
    leases = KeptLeases(rig.pool, rig.seals)
    assert await leases.keep(mine, NEXT)
    assert await leases.take(mine.identity.id, mine.identity.tokens_version) == Settled()
    assert await rig.tokens(ann) == NEXT


async def test_after_a_fault_the_provider_rests(rig: KeptSignIns) -> None:
    ann = await rig.signed_in("ann")
    mine = await leased(rig, ann)
    leases = KeptLeases(rig.pool, rig.seals)
    await leases.fail(mine, "nobody answers")
    assert await leases.take(mine.identity.id, mine.identity.tokens_version) == Resting("nobody answers")
    await rig.rested()
    assert isinstance(await leases.take(mine.identity.id, mine.identity.tokens_version), Leased)


async def test_whose_lease_was_taken_over_ends_no_other(rig: KeptSignIns) -> None:
    ann = await rig.signed_in("ann")
    first = await leased(rig, ann)
    await rig.execute("update identities set refresh_until = now() - interval '1 s'")
    second = await leased(rig, ann)
    leases = KeptLeases(rig.pool, rig.seals)
    await leases.fail(first, "it was too slow")
    assert await leases.take(second.identity.id, second.identity.tokens_version) == Held()


async def test_nothing_is_kept_of_whoever_was_shut_out_meanwhile(rig: KeptSignIns) -> None:
    ann = await rig.signed_in("ann")
    mine = await leased(rig, ann)
    async with changing(rig.pool, ADMIN) as write:
        await users.disable(write, ann)
    leases = KeptLeases(rig.pool, rig.seals)
    assert not await leases.keep(mine, NEXT)
    assert not await leases.shut_out(mine)
    assert await rig.tokens(ann) is None
    assert await leases.take(mine.identity.id, mine.identity.tokens_version + 9) == Settled()


async def test_what_cannot_be_opened_any_more_is_forgotten(rig: KeptSignIns) -> None:
    ann = await rig.signed_in("ann")
    identity = await rig.identity(ann)
    await rig.execute("update identities set tokens = '\\x00' where id = $1", identity.id)
    assert await KeptLeases(rig.pool, rig.seals).take(identity.id, identity.tokens_version) == Settled()
    assert await rig.tokens(ann) is None


async def test_without_a_refresh_token_there_is_nothing_to_ask_with(rig: KeptSignIns) -> None:
    ann = await rig.signed_in("ann", refresh_token="")
    identity = await rig.identity(ann)
    assert await KeptLeases(rig.pool, rig.seals).take(identity.id, identity.tokens_version) == Settled()
