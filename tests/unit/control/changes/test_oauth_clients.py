"""Changes of OAuth clients: what an admin decides, and what clients bring about by themselves."""

from __future__ import annotations

import pytest

from control.changes import oauth_clients as changes
from control.changes.refusals import NotNow, NotThere, Stale
from control.changes.write import changing
from control.registry.broken_rule import BrokenRule
from control.store.pool import Pool
from core.tokens import digest
from tests.unit.control.changes.acting import ADMIN, NOBODY, a_client, audit_of, changed


async def test_a_secret_is_given_once_and_its_digest_kept(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made, secret = await changes.create(write, a_client())

    assert made.secret_digest == digest(secret)
    assert (made.kind, made.client_id) == ("registered", made.id)
    (line,) = await audit_of(pool)
    assert secret not in str(line["after"])
    assert made.secret_digest not in str(line["after"])


async def test_a_public_client_has_no_secret(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made, secret = await changes.create(write, a_client(auth_method="none"))
    assert (made.secret_digest, secret) == (None, "")


async def test_the_same_registration_is_the_same_client(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        one, _ = await changes.register(write, a_client(auth_method="none"), "d" * 64)
        same, _ = await changes.register(write, a_client(auth_method="none"), "d" * 64)
        other, _ = await changes.register(write, a_client(auth_method="none"), "e" * 64)
    assert one.id == same.id != other.id


async def test_a_document_that_changed_changes_its_client_and_one_that_did_not_changes_nothing(pool: Pool) -> None:
    url = "https://client.example/c.json"
    async with changing(pool, ADMIN) as write:
        one = await changes.keep_document(write, url, a_client(auth_method="none"))
        same = await changes.keep_document(write, url, a_client(auth_method="none"))
        other = await changes.keep_document(write, url, a_client(auth_method="none", name="Claude 2"))
    assert (one.id, one.version) == (same.id, same.version) == (other.id, 1)
    assert (other.name, other.version, other.client_id) == ("Claude 2", 2, url)


async def test_a_client_that_came_by_itself_is_not_changed(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made, _ = await changes.register(write, a_client(auth_method="none"), "d" * 64)
        with pytest.raises(NotNow):
            await changes.change(write, made.id, {"name": "Mine"})


async def test_what_a_client_is_for_is_settled_and_a_secret_is_not_made_by_a_change(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        public, _ = await changes.create(write, a_client(auth_method="none"))
        with pytest.raises(BrokenRule, match="acts"):
            await changes.change(
                write, public.id, {"acts": "by_itself", "redirect_uris": (), "auth_method": "private_key_jwt",
                                   "jwks_uri": "https://client.example/jwks"},
            )  # fmt: skip
        with pytest.raises(BrokenRule, match="auth_method"):
            await changes.change(write, public.id, {"auth_method": "client_secret_basic"})
        with pytest.raises(NotNow):
            await changes.renew_secret(write, public.id)


async def test_a_change_of_another_version_and_of_no_client_is_refused(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made, _ = await changes.create(write, a_client())
        with pytest.raises(Stale):
            await changes.change(write, made.id, {"name": "Other"}, version=7)
        with pytest.raises(NotThere):
            await changes.delete(write, NOBODY)


async def test_to_disable_twice_changes_nothing_more(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made, _ = await changes.create(write, a_client())
        once = await changes.set_disabled(write, made.id, disabled=True)
    await changed(pool, lambda write: changes.set_disabled(write, made.id, disabled=True))
    assert once.disabled_at is not None
    assert len(await audit_of(pool)) == 2
