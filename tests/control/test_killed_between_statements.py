"""Control is killed before each statement of what installs, edits, connects, renews, disconnects and deletes: nothing
is half done. All rows are as before, or as after; and a sign-in that dies on its way can be begun again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from control.accounts.ending import connect
from control.accounts.sign_ins import Browser, SignIns
from control.changes import accounts as account_changes
from control.changes import entries, installations, oauth_clients, renewals
from control.changes import users as user_changes
from control.changes.installations import WantedInstallation
from control.changes.write import Write, changing
from control.registry.access import Caller
from control.registry.account import AccountTokens, NewAccount
from control.registry.credential import OAuthCredential
from control.registry.entry import Remote
from control.registry.oauth_client import ClientFields
from control.registry.partial import entry_with
from control.store import accounts, users
from control.store.pool import transaction
from core.identifiers import new_id
from tests.fakes.dying_pool import Died, DyingPool
from tests.fakes.registry import a_wanted_entry
from tests.fixtures_upstream_accounts import AtTheProvider, Hosted

TABLES = (
    "users", "entries", "installations", "accounts", "account_sign_ins", "account_revocations", "upstream_clients",
    "oauth_clients", "audit", "outbox",
)  # fmt: skip
Act = Callable[[Write], Awaitable[Any]]


async def everything(hosted: Hosted) -> dict[str, list[str]]:
    async with transaction(hosted.deps.pool, readonly=True) as connection:
        return {name: sorted(map(str, await connection.fetch(f"select * from {name}"))) for name in TABLES}


async def actor_of(hosted: Hosted, who: AtTheProvider) -> Caller:
    async with transaction(hosted.deps.pool, readonly=True) as connection:
        found = await users.caller(connection, who.user["id"], "")
    assert found is not None
    return found


async def browser_of(hosted: Hosted, who: AtTheProvider) -> Browser:
    (row,) = await hosted.rows(
        "select id from browser_sessions where user_id = $1 order by id desc limit 1", who.user["id"]
    )
    return Browser(who.user["id"], row["id"])


async def walked(hosted: Hosted, actor: Caller, act: Act) -> int:
    """Kill it before its first statement, its second, and so on, until it comes to its end; the number of them."""
    for at in range(1, 200):
        before, dying = await everything(hosted), DyingPool(hosted.deps.pool, at)
        try:
            async with changing(dying, actor) as write:  # type: ignore[arg-type]  # as much of a pool as is used
                await act(write)
        except Died:
            assert await everything(hosted) == before, f"killed before statement {at}"
        else:
            assert await everything(hosted) != before
            return at - 1
    raise AssertionError("it has no end")


async def test_an_installation_is_created_whole_or_not(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    wanted = WantedInstallation(entry_id=hosted.entry.id, scope="personal")
    number = await walked(
        hosted, await actor_of(hosted, ann), lambda write: installations.create(write, hosted.deps.safeguards, wanted)
    )
    assert number > 5


async def test_an_account_is_connected_whole_or_not(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    question = await ann.come_back("ann")
    browser = await browser_of(hosted, ann)
    waiting = await hosted.deps.account_sign_ins.waiting(browser, question.rpartition("/")[2])
    assert waiting is not None
    number = await walked(
        hosted,
        await actor_of(hosted, ann),
        lambda write: connect(write, hosted.deps.safeguards, waiting, browser.session_id, datetime.now(UTC)),
    )
    assert number > 8
    assert len(await hosted.rows("select 1 from accounts a join installations i on i.id = a.installation_id")) == 1
    assert await hosted.rows("select 1 from account_sign_ins") == []


@pytest.mark.parametrize(
    "how",
    [
        "renamed", "another is the default", "entry moves", "entry has a client of its own",
        "disconnected", "deleted", "entry deleted", "owner deleted",
    ],
)  # fmt: skip
async def test_what_has_an_account_is_changed_whole_or_not(hosted: Hosted, how: str) -> None:
    ann, root = await hosted.person("Ann", "admin"), await hosted.person("Root", "admin")
    installation = await ann.connect("ann")
    await hosted.discovered(installation)
    actor = await actor_of(hosted, root if how == "owner deleted" else ann)
    if how == "another is the default":
        async with changing(hosted.deps.pool, actor) as write:
            second = WantedInstallation(entry_id=hosted.entry.id, scope="personal", name="second")
            other = (await installations.create(write, hosted.deps.safeguards, second)).id

    own = OAuthCredential("own", client_id="ours", issuer=hosted.idp.issuer)

    def with_client(now: Any) -> Any:
        return replace(entry_with(now, {}), credential=own, client_secret="s" * 20)

    def moved(now: Any) -> Any:
        return replace(entry_with(now, {}), reached=Remote("https://elsewhere.example/mcp"))

    safeguards = hosted.deps.safeguards
    acts: dict[str, Act] = {
        "renamed": lambda write: installations.change(write, safeguards, installation, {"name": "other"}),
        "another is the default": lambda write: installations.change(write, safeguards, other, {"default": True}),
        "entry has a client of its own": lambda write: entries.change(
            write, safeguards, hosted.entry.id, with_client
        ),
        "owner deleted": lambda write: user_changes.delete(write, ann.user["id"]),
        "entry moves": lambda write: entries.change(write, safeguards, hosted.entry.id, moved),
        "disconnected": lambda write: account_changes.disconnect(write, installation),
        "deleted": lambda write: installations.delete(write, installation),
        "entry deleted": lambda write: entries.delete(write, hosted.entry.id, cascade=True),
    }
    number = await walked(hosted, actor, acts[how])
    assert number > 4
    held, queued = await hosted.rows("select 1 from accounts"), await hosted.rows("select 1 from account_revocations")
    ends = {"disconnected", "deleted", "entry deleted", "owner deleted"}
    assert (len(held), len(queued)) == ((0, 1) if how in ends else (1, 0))


@pytest.mark.parametrize("how", ["leased", "kept", "failed", "refused", "put off"])
async def test_what_a_renewal_writes_is_written_whole_or_not(hosted: Hosted, how: str) -> None:
    """What is sent to the provider between these is walked in `tests/faults/test_renewal_killed.py`."""
    ann = await hosted.person("Ann")
    installation = await ann.connect("ann")
    await hosted.discovered(installation)
    async with transaction(hosted.deps.pool) as connection:
        before = await accounts.one(connection, installation)
    assert before is not None
    given = NewAccount(**{one.name: getattr(before, one.name) for one in fields(NewAccount)})
    we, rest, leased = new_id(), timedelta(seconds=30), how in {"kept", "failed", "refused"}
    if leased:
        async with changing(hosted.deps.pool, renewals.PROVIDER) as write:
            assert await renewals.lease(write, before, we, rest)
    acts: dict[str, Act] = {
        "leased": lambda write: renewals.lease(write, before, we, rest),
        "kept": lambda write: renewals.keep(write, installation, before.version, replace(given, scopes=("more",))),
        "failed": lambda write: renewals.fail(write, before, we, "it is away", rest),
        "refused": lambda write: renewals.refuse(write, before, "it said no", "Sign in again."),
        "put off": lambda write: renewals.put_off(write, [installation], rest),
    }
    assert await walked(hosted, renewals.PROVIDER, acts[how]) > 0
    (row,) = await hosted.rows(
        "select a.version, refresh_owner, fault, refused_at is not null and i.state = 'needs_sign_in' as is_out "
        "from accounts a join installations i on i.id = a.installation_id"
    )
    after = {
        "leased": (1, we, "", False), "kept": (2, None, "", False), "failed": (1, None, "it is away", False),
        "refused": (1, None, "it said no", True), "put off": (1, None, "", False),
    }  # fmt: skip
    assert tuple(row.values()) == after[how]


async def test_an_account_in_place_of_another_is_connected_whole_or_not(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    installation = await ann.connect("ann")
    await hosted.discovered(installation)
    async with transaction(hosted.deps.pool) as connection:
        account = await accounts.one(connection, installation)
    assert account is not None
    same = NewAccount(**{one.name: getattr(account, one.name) for one in fields(NewAccount)})
    given = replace(same, account_name="bob@corp.test", subject="bob")
    safeguards, tokens = hosted.deps.safeguards, AccountTokens("a" * 20, "r" * 20)
    number = await walked(
        hosted,
        await actor_of(hosted, ann),
        lambda write: account_changes.connect(write, safeguards, installation, given, tokens),
    )
    assert number > 6
    assert len(await hosted.rows("select 1 from account_revocations")) == 1, "those before are given back"


async def test_a_sign_in_that_dies_on_its_way_keeps_nothing_and_is_begun_again(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    browser, sign_ins = await browser_of(hosted, ann), hosted.deps.account_sign_ins
    for at in range(1, 100):
        begun = await ann.begin()
        back = await ann.sign_in_there(begun.to, "ann")
        answer = dict(part.split("=", 1) for part in back.partition("?")[2].split("&"))
        answer["iss"] = hosted.idp.issuer
        dying = DyingPool(hosted.deps.pool, at)
        dead = SignIns(dying, hosted.deps.seals, sign_ins.providers)  # type: ignore[arg-type]  # as much as is used
        with suppress(Died):
            await dead.returned(browser, hosted.entry.slug, answer)
            break
        assert await hosted.rows("select 1 from accounts") == []
        assert await hosted.rows("select 1 from account_sign_ins where tokens is not null") == []
    assert at > 3
    assert len(await hosted.rows("select 1 from account_sign_ins where tokens is not null")) == 1


async def test_a_service_account_gets_an_installation_and_goes_with_it_whole_or_not(hosted: Hosted) -> None:
    actor, safeguards = await actor_of(hosted, await hosted.person("Root", "admin")), hosted.deps.safeguards
    async with changing(hosted.deps.pool, actor) as write:
        entry = await entries.create(write, safeguards, a_wanted_entry("http://127.0.0.1:9/mcp", slug="crm"))
        nightly = ClientFields(name="Nightly", acts="by_itself", auth_method="client_secret_post")
        client, _ = await oauth_clients.create(write, nightly)
    wanted = WantedInstallation(entry_id=entry.id, scope="service", oauth_client_id=client.id)
    assert await walked(hosted, actor, lambda write: installations.create(write, safeguards, wanted)) > 5
    assert await walked(hosted, actor, lambda write: oauth_clients.delete(write, client.id)) > 5
    assert await hosted.rows("select 1 from installations") == []
