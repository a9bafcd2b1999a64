"""Whose servers get tokens of callers is said by those who say whose word counts, of providers that give them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from control.changes import entries, identity_providers
from control.changes.callers_tokens import check_serves
from control.changes.refusals import NotAllowed, NotNow
from control.changes.write import Write, changing
from control.credentials.whose import cell_of
from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule
from control.registry.credential import ForOneCaller, IdentityAssertion, Passthrough, TokenExchange, kind_of
from control.registry.entry import Remote, WantedEntry, entry_fields
from control.registry.identity_provider import Exchange, IdentityProvider
from control.registry.owner import Organisation, ServiceAccount
from control.store.pool import Pool
from tests.fakes.registry import an_entry
from tests.unit.control.changes.acting import ADMIN, NOBODY, SAFEGUARDS, new_entry, new_provider

EDITOR = Caller(user_id="", name="Eve", role="editor")


async def _exchanging(write: Write, **changes: object) -> IdentityProvider:
    return await new_provider(write, "corp", "https://id.example.com", exchange=Exchange(enabled=True), **changes)


@pytest.mark.parametrize("named", ["", "corp", NOBODY], ids=["nothing", "a slug", "an identifier"])
async def test_a_provider_that_is_not_there_is_not_named(pool: Pool, named: str) -> None:
    async with changing(pool, ADMIN) as write:
        with pytest.raises(BrokenRule, match="identity_provider_id: is not the id of an identity provider"):
            await new_entry(write, credential=TokenExchange(named, audience="crm"))
        write.observed()


async def test_a_provider_that_is_off_or_exchanges_nothing_is_not_named(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        off = await _exchanging(write, enabled=False)
        with pytest.raises(BrokenRule, match="is Corp, which is switched off"):
            await new_entry(write, credential=TokenExchange(off.id, audience="crm"))
        other = await new_provider(write, "other", "https://other.example.com")
        with pytest.raises(BrokenRule, match="exchanges no tokens; allow it there first"):
            await new_entry(write, credential=IdentityAssertion(other.id, "https://as.test", "us"))


async def test_an_editor_sends_no_tokens_of_callers_anywhere(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_entry(write, credential=TokenExchange((await _exchanging(write)).id, audience="crm"))
    async with changing(pool, EDITOR) as write:
        for reached in (Remote("https://evil.test/mcp"),):
            with pytest.raises(NotAllowed, match="acts as whoever calls"):
                await entries.change(
                    write,
                    SAFEGUARDS,
                    made.id,
                    lambda now, to=reached: WantedEntry(**{**entry_fields(now), "reached": to}),
                )
        with pytest.raises(NotAllowed, match="acts as whoever calls"):
            await new_entry(write, "mine", credential=Passthrough(("crm",)))
        renamed = await entries.change(
            write, SAFEGUARDS, made.id, lambda now: WantedEntry(**{**entry_fields(now), "name": "CRM"})
        )
    assert renamed.name == "CRM"


async def test_what_is_named_already_stays_when_the_provider_exchanges_no_more(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        provider = await _exchanging(write)
        made = await new_entry(write, credential=TokenExchange(provider.id, audience="crm"))
        await identity_providers.change(
            write, provider.id, lambda now: replace(now, exchange=Exchange()), None, SAFEGUARDS
        )
        kept = await entries.change(
            write, SAFEGUARDS, made.id, lambda now: WantedEntry(**{**entry_fields(now), "name": "CRM"})
        )
        assert kept.credential == made.credential
        with pytest.raises(NotNow, match="Servers get tokens that this provider exchanges: github"):
            await identity_providers.delete(write, provider.id)


async def test_the_secret_of_our_client_at_the_servers_authorization_server_is_sealed_for_it(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        credential = IdentityAssertion((await _exchanging(write)).id, "https://as.test", "us")
        made = await new_entry(write, credential=credential, client_secret="of the server")
        assert made.client_secret is not None
        assert b"of the server" not in made.client_secret
        other = IdentityAssertion(credential.identity_provider_id, "https://b.test", "us")
        with pytest.raises(BrokenRule, match="was given for another provider or client"):
            await entries.change(
                write, SAFEGUARDS, made.id, lambda now: WantedEntry(**{**entry_fields(now), "credential": other})
            )


async def test_an_entry_whose_client_proves_itself_by_a_secret_is_not_saved_without_one(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        corp = await _exchanging(write)
        by_secret = IdentityAssertion(corp.id, "https://as.test", "us", client_authentication="client_secret_post")
        with pytest.raises(
            BrokenRule, match="client_secret: is needed: the client proves itself by client_secret_post"
        ):
            await new_entry(write, credential=by_secret)


@pytest.mark.parametrize("credential", [Passthrough(("crm",)), TokenExchange("p1")], ids=kind_of)
def test_an_entry_of_such_a_kind_is_installed_for_no_service_account(credential: ForOneCaller) -> None:
    entry = an_entry(name="CRM", credential=credential)
    check_serves(entry, Organisation())
    with pytest.raises(BrokenRule) as broken:
        check_serves(entry, ServiceAccount("c1"))
    assert broken.value.field == "scope"
    assert cell_of(credential, "service_account").refusal in str(broken.value)
