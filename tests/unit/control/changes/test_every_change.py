"""Every change of the registry, walked: what it leaves in the audit trail, and what proxies hear of it.

A new function of `control/changes/` needs a case here. The cases of one file stand together, in its order.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import ANY

import pytest

from control.changes import (
    assignments,
    client_sessions,
    entries,
    entry_tools,
    gateways,
    identities,
    identity_providers,
    installations,
    oauth_clients,
    people,
    roles,
    teams,
    tokens,
    users,
)  # fmt: skip
from control.changes.assignments import WantedTools
from control.changes.refusals import NotAllowed
from control.changes.write import Write, changing
from control.registry.access import Caller
from control.registry.browser_session import BrowserSession
from control.registry.entry import Entry
from control.registry.entry_tool import EntryTool
from control.registry.identity import Identity
from control.registry.identity_provider import Endpoints, IdentityProvider
from control.registry.installation import Installation
from control.registry.oauth_client import OAuthClient
from control.registry.oauth_grant import Grant
from control.sign_in.session import begin
from control.store.pool import Pool
from core.key_sets import PublicKey
from core.tokens import digest
from tests.fakes.providers import ISSUER, a_person, provider_fields
from tests.fakes.registry import a_wanted_entry, gateway_fields
from tests.unit.control.changes.account_cases import ACCOUNTS, new_account
from tests.unit.control.changes.acting import (
    ADMIN,
    ENDS_SESSIONS,
    SAFEGUARDS,
    a_client,
    audit_of,
    changes_of_the_folder,
    discovered,
    forget,
    new_entry,
    new_gateway,
    new_grant,
    new_installation,
    new_provider,
    new_role,
    new_team,
    new_token,
    new_user,
    outbox_of,
)
from tests.unit.control.changes.egress_preset_cases import EGRESS_PRESETS
from tests.unit.control.changes.environment_cases import ENVIRONMENTS
from tests.unit.control.changes.external_cases import EXTERNALS
from tests.unit.control.changes.grant_cases import GRANTS
from tests.unit.control.changes.kept_token_cases import KEPT_TOKENS
from tests.unit.control.changes.pull_secret_cases import PULL_SECRETS
from tests.unit.control.changes.server_cases import SERVERS

ENDPOINTS = Endpoints(f"{ISSUER}/a", f"{ISSUER}/t", f"{ISSUER}/k")
KEY = PublicKey("RSA", "a", n="n", e="AQAB")
MOVED = a_wanted_entry("https://elsewhere.test/mcp")
WITHOUT_WRITE = {
    "as_admin.why_no_admin": "changes nothing: it says who may",
    "as_admin.why_not_themselves": "changes nothing: it says who may",
    "installations.locked": "changes nothing: it locks what a change is about to change",
    "pull_secrets.check_named": "changes nothing: it says what an entry may not name",
    "callers_tokens.check_speaks_for_callers": "changes nothing: it says who may save an entry",
    "enforceable_egress.check_enforceable": "changes nothing: it says what a cluster cannot enforce",
    "enforceable_egress.check_preset_enforceable": "changes nothing: it says what a cluster cannot enforce",
    "environments.placer": "changes nothing: it says who stands for where an entry is put",
    "served_environments.check_assigned": "changes nothing: it says what a gateway may not show",
    "served_environments.check_shown": "changes nothing: it says what a gateway may not show",
    "served_environments.check_moved": "changes nothing: it says where an entry may not move",
    "environments.refuse_to_take_out": "changes nothing: it says who may not take an entry out",
    "environments.check_image": "changes nothing: it says which image an environment does not let in",
    "egress_probes.probe_again": "changes nothing of the registry: it has whoever leads probe an environment",
    "held_entries.held_now": "a part of a change of a policy: it says what that means for the entries under it",
    "held_entries.ask_again": "a part of a change of a policy or an entry: it marks whose servers are asked again",
    "held_entries.may_be_over": "changes nothing: it says which installations are told of",
    "overrides.check_override": "changes nothing: it says what may not stand over a Deployment",
    "overrides.previewed": "changes nothing: it shows what would run",
    "overrides.tried_out": "keeps nothing: it asks the cluster about a change that is made in a rehearsal",
    "quotas.quota_before": "changes nothing: it locks the environment whose quota a change may not pass",
    "quotas.refuse_over": "changes nothing: it says what a team may not have",
    "first_admin.ensure_first_admin": "makes its own Write; nobody's act, which test_first_admin.py holds it to",
}
"""Public coroutines of the folder that are not changes in somebody's `Write`, each with its reason."""


def acting_as(write: Write, user_id: str) -> Write:
    """The same transaction, of this person."""
    write.actor = replace(ADMIN, user_id=user_id)
    return write


@dataclass(frozen=True, slots=True)
class World:
    """What there is before the change: a user in a team, each with a token."""

    user: str
    other: str
    """A user who is in no team."""
    disabled: str
    team: str
    role: str
    """Which the user holds."""
    token: str
    digest: str
    team_digest: str
    entry: Entry
    tool: EntryTool
    """Of the entry; on the gateway, pinned to the installation."""
    installation: Installation
    gateway: str
    assignment: str
    link: str
    """Of the user; its secret is `link`."""
    session: BrowserSession
    """Of the user."""
    provider: IdentityProvider
    identity: Identity
    """Of the user, at the provider."""
    client: OAuthClient
    grant: Grant
    """What the user allowed the client at the gateway."""


@dataclass(frozen=True, slots=True)
class Case:
    """One change."""

    act: Callable[[Write, World], Awaitable[Any]]
    recorded: str
    """Action and kind of object, of several changes in one with commas; '' where nobody decided it, so that the trail
    says nothing.
    """
    announced: Callable[[World], list[tuple[str, str]]] = lambda _: []
    """Kind and name, in their order."""


OTHERS = ACCOUNTS | SERVERS | PULL_SECRETS | ENVIRONMENTS | EGRESS_PRESETS | EXTERNALS | GRANTS | KEPT_TOKENS
CASES = {
    **{name: Case(*case) for name, case in OTHERS.items()},
    "users.create": Case(lambda write, _: new_user(write, "Cid"), "create user"),
    "users.change": Case(
        lambda write, there: users.change(write, there.user, {"name": "Anna"}),
        "update user",
        lambda there: [("user", there.user)],
    ),
    "users.disable": Case(
        lambda write, there: users.disable(write, there.user), "disable user", lambda there: [("user", there.user)]
    ),
    "users.enable": Case(
        lambda write, there: users.enable(write, there.disabled),
        "enable user",
        lambda there: [("user", there.disabled)],
    ),
    "users.delete": Case(
        lambda write, there: users.delete(write, there.user),
        "delete user",
        lambda there: [("token", there.digest), ("user", there.user)],
    ),
    "people.make_link": Case(
        lambda write, there: people.make_link(write, there.user, "reset", digest("another")), "create sign_in_link"
    ),
    "people.delete_link": Case(
        lambda write, there: people.delete_link(write, there.user, there.link), "delete sign_in_link"
    ),
    "people.use_link": Case(
        lambda write, there: people.use_link(acting_as(write, there.user), digest("link")), "update sign_in_link"
    ),
    "people.set_password": Case(
        lambda write, there: people.set_password(acting_as(write, there.other), "$argon2id$x"), "update password"
    ),
    "people.hash_anew": Case(
        lambda write, there: people.hash_anew(acting_as(write, there.user), "$argon2id$a", "$argon2id$b"), ""
    ),
    "people.signed_in": Case(lambda write, there: people.signed_in(write, there.session), "create session"),
    "people.end_session": Case(lambda write, there: people.end_session(write, there.session.id), "delete session"),
    "people.end_sessions_of": Case(lambda write, there: people.end_sessions_of(write, there.user), "delete session"),
    "teams.create": Case(lambda write, _: new_team(write, "Blue"), "create team"),
    "teams.change": Case(
        lambda write, there: teams.change(write, there.team, {"name": "Rot"}),
        "update team",
        lambda there: [("team", there.team)],
    ),
    "teams.delete": Case(
        lambda write, there: teams.delete(write, there.team),
        "delete team",
        lambda there: [("token", there.team_digest), ("user", there.user), ("team", there.team)],
    ),
    "teams.set_member": Case(
        lambda write, there: teams.set_member(write, there.team, there.other, "member"),
        "create membership",
        lambda there: [("user", there.other)],
    ),
    "teams.remove_member": Case(
        lambda write, there: teams.remove_member(write, there.team, there.user),
        "delete membership",
        lambda there: [("user", there.user)],
    ),
    "roles.create": Case(lambda write, _: new_role(write, "Reader", "gap:read"), "create role"),
    "roles.change": Case(lambda write, there: roles.change(write, there.role, {"name": "Reader"}), "update role"),
    "roles.delete": Case(lambda write, there: roles.delete(write, there.role), "delete role"),
    "roles.give": Case(lambda write, there: roles.give(write, there.role, there.other), "create role_holder"),
    "roles.take": Case(lambda write, there: roles.take(write, there.role, there.user), "delete role_holder"),
    "tokens.create": Case(lambda write, there: new_token(write, user=there.user), "create token"),
    "tokens.change": Case(
        lambda write, there: tokens.change(write, there.token, {"name": "laptop"}),
        "update token",
        lambda there: [("token", there.digest)],
    ),
    "tokens.revoke": Case(
        lambda write, there: tokens.revoke(write, there.token),
        "revoke token",
        lambda there: [("token", there.digest)],
    ),
    "tokens.revoke_all_of": Case(
        lambda write, there: tokens.revoke_all_of(write, there.user),
        "revoke token",
        lambda there: [("token", there.digest)],
    ),
    "tokens.delete": Case(
        lambda write, there: tokens.delete(write, there.token),
        "delete token",
        lambda there: [("token", there.digest)],
    ),
    "oauth_clients.create": Case(
        lambda write, _: oauth_clients.create(write, a_client(name="Another")), "create oauth_client"
    ),
    "oauth_clients.register": Case(lambda write, _: oauth_clients.register(write, a_client(), "d" * 64), ""),
    "oauth_clients.keep_document": Case(
        lambda write, _: oauth_clients.keep_document(write, "https://client.example/c.json", a_client()), ""
    ),
    "oauth_clients.change": Case(
        lambda write, there: oauth_clients.change(write, there.client.id, {"name": "Another"}),
        "update oauth_client",
        lambda there: [("client", there.client.client_id)],
    ),
    "oauth_clients.renew_secret": Case(
        lambda write, there: oauth_clients.renew_secret(write, there.client.id), "update oauth_client"
    ),
    "oauth_clients.set_disabled": Case(
        lambda write, there: oauth_clients.set_disabled(write, there.client.id, disabled=True),
        "disable oauth_client",
        lambda there: [("client", there.client.client_id)],
    ),
    "oauth_clients.delete": Case(
        lambda write, there: oauth_clients.delete(write, there.client.id),
        "delete oauth_client",
        lambda there: [("client", there.client.client_id)],
    ),
    "entries.create": Case(lambda write, _: new_entry(write, "crm"), "create entry"),
    "entries.change": Case(
        lambda write, there: entries.change(write, SAFEGUARDS, there.entry.id, lambda _: MOVED),
        "update entry",
        lambda there: [
            ("installation", there.installation.id),
            ("entry", there.entry.id),
            ("gateway", there.gateway),
        ],
    ),
    "entries.discover_through": Case(
        lambda write, there: entries.discover_through(write, there.entry.id, there.installation.id), "update entry"
    ),
    "entries.delete": Case(
        lambda write, there: entries.delete(write, there.entry.id, cascade=True),
        "delete entry",
        lambda there: [
            ("installation", there.installation.id),
            ("entry", there.entry.id),
            ("gateway", there.gateway),
        ],
    ),
    "entry_tools.set_state": Case(
        lambda write, there: entry_tools.set_state(write, there.entry.id, there.tool.id, "quarantined"),
        "update tool",
        lambda there: [("gateway", there.gateway)],
    ),
    "entry_tools.acknowledge": Case(
        lambda write, there: entry_tools.acknowledge(write, there.entry.id, there.tool.id), "update tool"
    ),
    "discoveries.keep_server": Case(
        lambda write, there: discovered(write, there.entry, there.installation, "search", "another"),
        "discover entry",
        lambda there: [("installation", there.installation.id), ("gateway", there.gateway)],
    ),
    "installations.create": Case(
        lambda write, there: new_installation(write, there.entry, name="Another"),
        "create installation",
        lambda _: [("installation", ANY)],
    ),
    "installations.change": Case(
        lambda write, there: installations.change(write, SAFEGUARDS, there.installation.id, {"name": "Ours"}),
        "update installation",
        lambda there: [("installation", there.installation.id)],
    ),
    "installations.delete": Case(
        lambda write, there: installations.delete(write, there.installation.id, cascade=True),
        "delete installation",
        lambda there: [("installation", there.installation.id), ("gateway", there.gateway)],
    ),
    "identity_providers.create": Case(
        lambda write, _: new_provider(write, "google", "https://accounts.google.com"),
        "create identity_provider",
        lambda _: [("provider", "https://accounts.google.com")],
    ),
    "identity_providers.change": Case(
        lambda write, there: identity_providers.change(
            write, there.provider.id, lambda _: provider_fields(name="Other"), None, SAFEGUARDS
        ),
        "update identity_provider",
        lambda there: [("provider", there.provider.issuer)],
    ),
    "identity_providers.delete": Case(
        lambda write, there: identity_providers.delete(write, there.provider.id),
        "delete identity_provider",
        lambda there: [("user", there.user), ("provider", there.provider.issuer)],
    ),
    "identity_providers.claim_try": Case(
        lambda write, there: identity_providers.claim_try(write, there.provider.id, 60.0), ""
    ),
    "identity_providers.keep_endpoints": Case(
        lambda write, there: identity_providers.keep_endpoints(write, there.provider, ENDPOINTS), ""
    ),
    "identity_providers.keep_keys": Case(
        lambda write, there: identity_providers.keep_keys(write, there.provider, [KEY], []),
        "",
        lambda there: [("provider", there.provider.issuer)],
    ),
    "identity_providers.keep_fault": Case(
        lambda write, there: identity_providers.keep_fault(write, there.provider, "nobody answers"), ""
    ),
    "identities.link": Case(
        lambda write, there: identities.link(write, there.provider, a_person(subject="bea"), there.other),
        "create identity",
    ),
    "identities.make_person": Case(
        lambda write, there: identities.make_person(write, there.provider, a_person(subject="cid")),
        "create user, create identity",
    ),
    "identities.unlink": Case(
        lambda write, there: identities.unlink(write, there.identity.id),
        "delete identity",
        lambda there: [("user", there.user), ("provider", there.provider.issuer)],
    ),
    "identities.apply_claims": Case(
        lambda write, there: identities.apply_claims(write, there.provider, there.identity, a_person(role="editor")),
        "update user",
        lambda there: [("user", there.user)],
    ),
    "identities.shut_out": Case(
        lambda write, there: identities.shut_out(write, there.provider, there.identity),
        "update identity, disable user",
        lambda there: [("user", there.user)],
    ),
    "identities.use_state": Case(lambda write, _: identities.use_state(write, "0" * 64, 60.0), ""),
    "client_sessions.end": Case(
        lambda write, _: client_sessions.end(write, "ab" * 16),
        "delete client_session",
        lambda _: [("session", "ab" * 16)],
    ),
    "gateways.create": Case(
        lambda write, _: new_gateway(write, "play"), "create gateway", lambda _: [("gateway", ANY)]
    ),
    "gateways.change": Case(
        lambda write, there: gateways.change(write, there.gateway, lambda _: gateway_fields(name="Play")),
        "update gateway",
        lambda there: [("gateway", there.gateway)],
    ),
    "gateways.delete": Case(
        lambda write, there: gateways.delete(write, there.gateway),
        "delete gateway",
        lambda there: [("client", there.client.client_id), ("gateway", there.gateway)],
    ),
    "assignments.create": Case(
        lambda write, there: assignments.create(write, there.gateway, WantedTools(entry="github", tools=["search"])),
        "create assignment",
        lambda there: [("gateway", there.gateway)],
    ),
    "assignments.change": Case(
        lambda write, there: assignments.change(write, there.gateway, there.assignment, {"installation": None}),
        "update assignment",
        lambda there: [("gateway", there.gateway)],
    ),
    "assignments.delete": Case(
        lambda write, there: assignments.delete(write, there.gateway, there.assignment),
        "delete assignment",
        lambda there: [("gateway", there.gateway)],
    ),
}


def test_every_change_takes_a_write_first() -> None:
    strays = [
        name
        for name, one in changes_of_the_folder().items()
        if name not in WITHOUT_WRITE and next(iter(inspect.signature(one).parameters), "") != "write"
    ]
    assert not strays


def test_every_change_has_a_case_here() -> None:
    assert set(CASES) == set(changes_of_the_folder()) - set(WITHOUT_WRITE)


@pytest.fixture
async def there(pool: Pool) -> World:
    async with changing(pool, ADMIN) as write:
        await new_user(write, "Root", "admin")
        user, other, disabled = [(await new_user(write, name)).id for name in ("Ann", "Bea", "Dan")]
        await users.disable(write, disabled)
        team = (await new_team(write, "Red", user)).id
        role = (await new_role(write, "Auditor", "audit:read")).id
        await roles.give(write, role, user)
        token, of_team = await new_token(write, user=user), await new_token(write, team=team)
        entry = await new_entry(write)
        installation = await new_installation(write, entry)
        await discovered(write, entry, installation, "search")
        (tool,) = await discovered(write, entry, installation, "search", description="Another.")
        gateway = (await new_gateway(write)).id
        wanted = WantedTools(entry=entry.id, tools=["*"], installation=installation.id)
        (assignment,) = (await assignments.create(write, gateway, wanted)).assignments
        link = (await people.make_link(write, user, "reset", digest("link"))).id
        _, session = await begin(write.connection, user, method="link", address="", agent="")
        provider = await new_provider(write, "corp", ISSUER)
        identity = await identities.link(write, provider, a_person(), user)
        client, _ = await oauth_clients.create(write, a_client())
        grant = await new_grant(write, client, user, gateway)
        await new_account(write, installation)
    await forget(pool)
    return World(
        user, other, disabled, team, role, token.id, token.digest, of_team.digest,
        entry, tool, installation, gateway, assignment.id, link, session, provider, identity, client, grant,
    )  # fmt: skip


@pytest.mark.parametrize("name", CASES)
async def test_a_change_leaves_one_audit_record_and_tells_proxies_what_they_hold(
    name: str, pool: Pool, there: World
) -> None:
    case = CASES[name]
    async with changing(pool, ADMIN) as write:
        await case.act(write, there)
    lines = await audit_of(pool)
    recorded = case.recorded.split(", ") if case.recorded else []
    assert [f"{line['action']} {line['object_kind']}" for line in lines] == recorded
    for line in lines:
        assert (line["before"] is None, line["after"] is None) == (
            line["action"] in {"create", "discover"},
            line["action"] == "delete",
        )
    told = await outbox_of(pool)
    assert [(kind, of) for kind, of, _ in told] == case.announced(there)
    assert any((kind, revision) == ("installation", -1) for kind, _, revision in told) == (name in ENDS_SESSIONS)


GIVES_OR_TAKES = [name for name in CASES if name.partition(".")[0] in {"users", "roles"}]
GIVES_OR_TAKES += ["teams.set_member", "teams.remove_member", "tokens.create"]
GIVES_OR_TAKES.remove("roles.delete")  # gives nothing, and what it takes away its maker could take when they asked


@pytest.mark.parametrize("name", GIVES_OR_TAKES)
async def test_a_change_that_gives_access_or_takes_it_is_refused_to_who_was_demoted_meanwhile(
    name: str, pool: Pool, there: World
) -> None:
    async with changing(pool, ADMIN) as write:
        eve = await new_user(write, "Eve")
    async with changing(pool, Caller(eve.id, "Eve", "admin")) as write:
        with pytest.raises(NotAllowed):
            await CASES[name].act(write, there)
