"""A server asks for more access than an account has (403, `insufficient_scope`): what control answers to the proxy
that tells so. The person is led to a sign-in that asks for it; whatever the account may do already goes on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from control.credentials.upstream_oauth.challenge import MOST_SCOPES
from control.registry.credential import ClientCredentials
from control.registry.entry import Entry
from control.store.pool import Pool, transaction
from core.resolve import (
    InstallationAnswer,
    InstallationAnswers,
    InstallationQuestion,
    InstallationQuestions,
    InstallationRefusal,
)
from tests.control import seeded
from tests.control.asking_proxy import PAGES_URL, SECRETS, AskingProxy
from tests.fakes.renewing import Renewing
from tests.fakes.rotating_provider import CLIENT, SECRET, RotatingProvider


@dataclass
class Work:
    """A gateway with a tool that reaches one account of the organisation, and somebody who calls it."""

    proxy: AskingProxy
    accounts: Renewing
    installation: str
    person: str
    question: InstallationQuestion

    async def asked(self, *scopes: str, **changes: Any) -> InstallationAnswer:
        question = replace(self.question, needed_scopes=scopes, **changes)
        answer: InstallationAnswer = await self.proxy.ask("/internal/connection", question, InstallationAnswer)
        return answer

    async def refused(self, *scopes: str) -> InstallationRefusal:
        refusal = (await self.asked(*scopes)).refusal
        assert refusal is not None
        return refusal

    async def serves(self) -> tuple[str, int]:
        """The credential that a call has which needs nothing more, and its version."""
        found = (await self.asked()).installation
        assert found is not None
        return dict(found.credential_headers)["authorization"], found.version

    async def wanted(self) -> list[str]:
        """What the next sign-in will ask for besides."""
        return list((await self.accounts.account(self.installation)).wanted_scopes)


async def shown(pool: Pool, entry: Entry, installation: str) -> tuple[str, InstallationQuestion]:
    """A gateway that shows a tool of this entry: a person of its callers, and the question of a call of theirs."""
    async with transaction(pool) as conn:
        person = await seeded.user(conn)
        gateway = await seeded.gateway(conn)
        tool = await seeded.tool(conn, entry.id)
        assigned = await seeded.assignment(conn, gateway, tool, installation=installation)
        return person, InstallationQuestion(await seeded.token(conn, user=person), gateway, assigned)


@pytest.fixture
async def accounts(database: str) -> AsyncIterator[Renewing]:
    async with RotatingProvider() as provider, Renewing(database, provider, SECRETS) as rig:
        yield rig


@pytest.fixture
async def work(proxy: AskingProxy, accounts: Renewing, pool: Pool) -> Work:
    entry = await accounts.entry()
    installation = await accounts.signed_in("ann", entry)
    person, question = await shown(pool, entry, installation)
    return Work(proxy, accounts, installation, person, question)


async def test_the_caller_is_led_to_a_sign_in_that_asks_for_what_the_server_needs(work: Work) -> None:
    refusal = await work.refused("write")
    link = f"{PAGES_URL}/install/tools-0?as=user%3A{work.person}&installation={work.installation}"
    assert (refusal.code, refusal.link) == ("needs_sign_in", link)
    assert "may not do this: its server asks for more access (write)" in refusal.sentence
    assert f"Open {link} " in refusal.sentence
    assert await work.wanted() == ["write"]


async def test_what_the_account_may_do_already_goes_on_and_its_provider_is_not_asked(work: Work) -> None:
    before = await work.serves()
    await work.refused("write")
    assert await work.serves() == before
    account = await work.accounts.account(work.installation)
    assert (account.refused_at, account.fault, work.accounts.provider.forms) == (None, "", [])


async def test_what_several_calls_need_is_asked_for_at_once_and_each_scope_once(work: Work) -> None:
    for scopes in (("write",), ("write", "delete"), ("admin", "write")):
        await work.refused(*scopes)
    assert await work.wanted() == ["write", "delete", "admin"]


async def test_what_is_no_scope_is_neither_kept_nor_told(work: Work) -> None:
    refusal = await work.refused('a"b', "two words", "", "ü", "write", "back\\slash")
    assert await work.wanted() == ["write"]
    assert "more access (write)" in refusal.sentence


async def test_a_server_that_asks_for_ever_more_is_kept_within_bounds(work: Work) -> None:
    for number in range(3):
        await work.refused(*(f"scope-{number}-{one}" for one in range(60)))
    wanted = await work.wanted()
    assert (len(wanted), wanted[0]) == (MOST_SCOPES, "scope-0-0")


async def test_a_server_that_names_no_scope_that_we_know_still_leads_to_a_sign_in(work: Work) -> None:
    refusal = await work.refused('"')
    assert refusal.code == "needs_sign_in"
    assert "its server asks for more access." in refusal.sentence
    assert await work.wanted() == []


async def test_what_the_entrys_scopes_allow_is_asked_for_and_what_they_leave_out_never_is(work: Work) -> None:
    """Whatever the server says, an administrator's word on scopes is the last one."""
    changed = {"scopes": ["read", "write"]}
    await work.accounts.execute("update entries set credential = credential || $1", changed)
    refusal = await work.refused("write", "admin")
    assert (refusal.code, refusal.link) == ("not_allowed", "")
    assert refusal.sentence.endswith("an administrator has to add admin to the scopes of the entry tools-0.")
    assert await work.wanted() == []
    assert (await work.refused("write")).code == "needs_sign_in"
    assert await work.wanted() == ["write"]


async def test_a_server_that_names_no_scope_at_all_leads_to_a_sign_in_unless_that_would_bring_the_same_again(
    work: Work,
) -> None:
    """Servers of the Python SDK name none."""
    for scopes, code in (([], "needs_sign_in"), (["read", "write"], "needs_sign_in"), (["read"], "not_allowed")):
        await work.accounts.execute("update entries set credential = credential || $1", {"scopes": scopes})
        refusal = (await work.asked(too_few_scopes=True)).refusal
        assert refusal is not None
        assert (refusal.code, "its server asks for more access" in refusal.sentence) == (code, True)
    assert refusal.sentence.endswith("an administrator has to add what it lacks to the scopes of the entry tools-0.")
    assert await work.wanted() == []


async def test_the_same_is_answered_in_a_list(work: Work) -> None:
    asked = InstallationQuestions([replace(work.question, needed_scopes=("write",)), work.question])
    found: InstallationAnswers = await work.proxy.ask("/internal/connections", asked, InstallationAnswers)
    told = {one.question.needed_scopes: one.answer for one in found.answers}
    assert told[()].installation is not None
    refusal = told["write",].refusal
    assert refusal is not None
    assert refusal.code == "needs_sign_in"


async def test_whoever_may_not_call_changes_nothing_by_such_a_question(work: Work) -> None:
    answer = await work.asked("write", digest="0" * 64)
    assert answer.refusal is not None
    assert answer.refusal.code == "not_allowed"
    assert await work.wanted() == []


async def test_a_client_that_nobody_signs_in_to_is_not_led_to_a_sign_in(
    proxy: AskingProxy, accounts: Renewing, pool: Pool
) -> None:
    entry = await accounts.client_entry()
    installation = await accounts.installed(entry, values={"client_id": CLIENT}, credential=SECRET)
    assert isinstance(entry.credential, ClientCredentials)
    person, question = await shown(pool, entry, installation.id)
    answer = await Work(proxy, accounts, installation.id, person, question).asked("write")
    assert answer.refusal is None
    assert answer.installation is not None
