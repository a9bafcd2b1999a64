"""Every page in four looks: nobody is kept from using it, and no name makes it wider than the window."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from control.changes import (
    assignments,
    discoveries,
    egress_presets,
    environments,
    gateways,
    identities,
    identity_providers,
    oauth_clients,
    roles,
    server_states,
    teams,
    tokens,
)
from control.changes.assignments import WantedTools
from control.changes.tokens import WantedToken
from control.changes.write import changing
from control.identity.said_claims import to_keep
from control.registry.egress import Egress, NewEgressPreset
from control.registry.environment import NewEnvironment, Quota
from control.registry.gateway import GatewayFields
from control.registry.identity import SignInGiven
from control.registry.identity_provider import Endpoints, RoleRule, TeamRule
from control.registry.oauth_client import ClientFields
from control.registry.partial import gateway_with
from control.registry.self_hosted import SelfHosted
from control.registry.server_state import ServerState
from control.registry.sign_in_attempt import NewAttempt
from control.registry.team import NewTeam
from control.registry.user import User
from control.store import entries, installations, oauth_grants
from control.store import gateways as stored_gateways
from control.store import identity_providers as stored_providers
from control.store.pool import transaction
from core.identifiers import new_id
from core.tokens import digest
from tests.console.registry_seeds import ASKS, BEARER, an_entry, an_installation
from tests.console.serving import MAKER, Console
from tests.control import seeded
from tests.fakes.providers import a_person, provider_fields
from tests.fakes.registry import gateway_fields
from tests.fixtures_browser import LOOKS, Visits, overflows, serious_findings, shot
from tests.unit.control.changes import acting

LONG = ("unbreakable" * 12)[:120]
HEBREW = "צוות התמיכה והמכירות של החברה כולה, בכל הסניפים ובכל השעות"
NAMES = {
    "home": "/",
    "my-access": "/my/access",
    "connect": "/my/connect",
    "gateway": "/connect/sales",
    "my-connections": "/my/connections",
    "registry": "/registry",
    "catalog": "/registry/catalog",
    "import": "/registry/import",
    "new-entry": "/registry/new?from=bigquery",
    "entry": "/registry/{entry}",
    "change-entry": "/registry/{entry}/change",
    "tool": "/registry/{entry}/tools/{tool}",
    "install": "/registry/{entry}/install",
    "installations": "/installations",
    "installation": "/installations/{installation}",
    "change-installation": "/installations/{installation}/change",
    "gateways": "/gateways",
    "new-gateway": "/gateways/new",
    "gateway-sheet": "/gateways/{gateway}",
    "edit-gateway": "/gateways/{gateway}/edit",
    "gateway-tools": "/gateways/{gateway}/tools",
    "gateway-tool": "/gateways/{gateway}/tools/{assignment}",
    "explain": "/gateways/{gateway}/explain",
    "activity": "/activity",
    "call": "/activity/{call}",
    "tokens": "/tokens",
    "new-token": "/tokens/new",
    "sign-ins": "/sign-ins",
    "people": "/people",
    "invite": "/people/invite",
    "person": "/people/{person}",
    "teams": "/teams",
    "new-team": "/teams/new",
    "team": "/teams/{team}",
    "identity-providers": "/identity-providers",
    "new-identity-provider": "/identity-providers/new",
    "identity-provider": "/identity-providers/{provider}",
    "change-identity-provider": "/identity-providers/{provider}/change",
    "oauth-clients": "/oauth-clients",
    "new-oauth-client": "/oauth-clients/new",
    "oauth-client": "/oauth-clients/{client}",
    "service-account": "/oauth-clients/{program}",
    "programs-installation": "/installations/{its}",
    "entry-that-we-run": "/registry/{ours}",
    "change-entry-that-we-run": "/registry/{ours}/change",
    "override": "/registry/{ours}/override",
    "server-that-we-run": "/installations/{run}",
    "log": "/installations/{run}/logs",
    "pull-secrets": "/pull-secrets",
    "new-pull-secret": "/pull-secrets/new",
    "environments": "/environments",
    "new-environment": "/environments/new",
    "environment": "/environments/{environment}",
    "change-environment": "/environments/{environment}/edit",
    "egress-presets": "/egress-presets",
    "new-egress-preset": "/egress-presets/new",
    "egress-preset": "/egress-presets/{preset}",
    "find": "/find?q=a",
    "missing": "/people/00000000-0000-0000-0000-000000000000",
}


@dataclass(frozen=True)
class Lived:
    """A deployment that people use."""

    admin: User
    person: User
    team: str
    client: str
    provider: str
    gateway: str
    assignment: str
    call: str
    entry: str
    tool: str
    installation: str
    program: str
    its: str
    """The installation of that service account."""
    ours: str
    """An entry that Archway runs."""
    run: str
    """Its installation."""
    environment: str
    preset: str

    def path(self, name: str) -> str:
        return NAMES[name].format(
            person=self.person.id, team=self.team, client=self.client, provider=self.provider,
            gateway=self.gateway, assignment=self.assignment, call=self.call, entry=self.entry,
            tool=self.tool, installation=self.installation, program=self.program, its=self.its,
            ours=self.ours, run=self.run, environment=self.environment, preset=self.preset,
        )  # fmt: skip


async def lived_in(console: Console, *, odd: bool = False) -> Lived:
    """People, teams, tokens and gateways; `odd`: with names that are long, or run from right to left."""
    admin, bea = await console.person("Ann Admin", "admin"), await console.person(LONG if odd else "Bea Bell")
    others = [await console.person(HEBREW if odd else name, "editor") for name in ("Carl Ny", "Dana Levi")]
    async with changing(console.pool, MAKER) as write:
        text = (LONG * 5)[:500] if odd else "Answers customers, and writes down what they asked."
        team = await teams.create(write, NewTeam(name=HEBREW if odd else "Support", description=text))
        for one in (bea, *others):
            await teams.set_member(write, team.id, one.id, "editor" if one is bea else "member")
        auditor = await acting.new_role(write, LONG if odd else "Auditor", "record:read")
        for team_id in (None, team.id):
            await roles.give(write, auditor.id, bea.id, team_id)
        for name in ("Claude Code on my laptop", LONG if odd else "Nightly report"):
            for owner in (admin, bea):
                await tokens.create(write, WantedToken(name=name, user_id=owner.id))
        for slug, name in (("sales", "Sales"), ("support", LONG if odd else "Support desk")):
            await gateways.create(write, _gateway(slug, name, text))
    provider = await _vouched_for(console, bea, team.id, LONG if odd else "Corp")
    await _said_of(console, admin, provider, LONG if odd else "lunch")
    client = await _connected(console, (admin, bea), LONG if odd else "Claude")
    served = await _served(console, admin, LONG if odd else "Calendar", text, HEBREW if odd else "Searches.")
    program = await _acting_by_itself(console, served[0], LONG if odd else "Nightly report")
    place = await _a_place(console, LONG if odd else "Production", HEBREW if odd else "GitHub", text)
    run_by_us = await _run_by_us(console, LONG if odd else "Files", text, place[0])
    await _tried(console, admin, LONG if odd else "Claude", HEBREW if odd else "sales")
    gateway, assignment = await _with_tools(console, LONG if odd else "crm", HEBREW if odd else "CRM", text)
    await console.called(gateway, bea, LONG[:60] if odd else "crm__find", "upstream_slow", text[:256])
    async with transaction(console.pool, readonly=True) as connection:
        call = await connection.fetchval("select id from records")
    await console.cookie(admin)
    return Lived(
        admin, bea, team.id, client, provider, gateway, assignment, call, *served, *program, *run_by_us, *place
    )


async def _served(console: Console, admin: User, name: str, text: str, said: str) -> tuple[str, str, str]:
    """Servers with tools, one of which changed, and installations in each state; entry, tool and installation."""
    entry = await an_entry(
        console, "calendar", name=name, description=text, credential=BEARER, fields=ASKS,
        docs_url="https://docs.example.com/calendar", labels={"team": "sales", "area": name[:60]},
    )  # fmt: skip
    other = await an_entry(console, "time", docs_url="https://docs.example.com/time")
    await an_installation(console, entry, name=name, values={"account": text[:300]})
    mine = await an_installation(console, entry, admin, name=name, values={"account": "12"})
    await an_installation(console, other, admin, name="Clock")
    async with changing(console.pool, MAKER) as write:
        for description in (said, f"{said} {text}"):
            tool, *_ = await acting.discovered(write, entry, mine, "search", "find", description=description)
        sales = await stored_gateways.named(write.connection, "sales")
        assert sales is not None
        await assignments.create(write, sales.id, WantedTools(entry=entry.slug, tools=["*"]))
        asked = await installations.one(write.connection, mine.id)
        assert asked is not None
        await discoveries.keep_failure(write, entry, asked, "credential_refused", f"The server answered 401: {text}")
    return entry.id, tool.id, mine.id


async def _acting_by_itself(console: Console, entry_id: str, name: str) -> tuple[str, str]:
    """A service account with an installation of its own; both identifiers."""
    wanted = ClientFields(name=name, acts="by_itself", auth_method="client_secret_post")
    async with changing(console.pool, MAKER) as write:
        client, _ = await oauth_clients.create(write, wanted)
        entry = await entries.one(write.connection, entry_id)
    assert entry is not None
    its = await an_installation(
        console, entry, scope="service", oauth_client_id=client.id, values={"account": "4711"}
    )  # fmt: skip
    return client.id, its.id


async def _a_place(console: Console, name: str, preset: str, text: str) -> tuple[str, str]:
    """A restricted environment that says what its servers may reach, and its preset; both identifiers."""
    async with changing(console.pool, MAKER) as write:
        hosts = ("api.github.com", "**.githubusercontent.com")
        named = await egress_presets.create(write, NewEgressPreset(name=preset, description=text, domains=hosts))
        wanted = NewEnvironment(
            name=name, restricted=True, egress=Egress("restricted", cidrs=("203.0.113.0/24",)), presets=(named.id,),
            node_selector={"pool": "tools"}, image_registries=("registry.example.com/team",), quota=Quota(servers=20),
        )  # fmt: skip
        made = await environments.create(write, console.deps.safeguards, wanted)
    return made.id, named.id


async def _run_by_us(console: Console, name: str, text: str, environment_id: str) -> tuple[str, str]:
    """An entry that Archway runs, with an installation whose server does not; both identifiers."""
    run = SelfHosted(command=("npx", "-y", f"{name}@1.2.3"), environment={"NOTE": text[:200]})
    entry = await an_entry(console, "files", name=name, reached=run, environment_id=environment_id)
    made = await an_installation(console, entry, name=name)
    state = ServerState(
        installation_id=made.id, place="process", phase="failed", generation=1, cause="crashed", message=text[:900]
    )  # fmt: skip
    async with changing(console.pool, MAKER) as write:
        assert await server_states.keep(write, state)
    return entry.id, made.id


async def _with_tools(console: Console, tool: str, name: str, text: str) -> tuple[str, str]:
    """The gateway `sales` shows one tool of a server, pinned, and could show another."""
    async with transaction(console.pool) as connection:
        gateway = await connection.fetchval("select id from gateways where slug = 'sales'")
        entry = await seeded.entry(connection, "crm", name=name)
        installation = await seeded.installation(connection, entry, name=name, state="needs_sign_in")
        told = {"name": tool, "description": f"{text} \u202e{HEBREW}", "inputSchema": {"type": "object"}}
        first = await seeded.tool(connection, entry, tool, definition=told)
        await seeded.tool(connection, entry, f"{tool}_more", definition=told, state="quarantined")
        assignment = await seeded.assignment(connection, gateway, first, f"a_{tool}"[:64], installation)
        await connection.execute("update gateways set instructions = $1, header_allowlist = '{x-tenant}'", text)
    return gateway, assignment


async def _connected(console: Console, people: tuple[User, ...], name: str) -> str:
    """A client that these people signed in to, which the gateway `sales` names."""
    async with changing(console.pool, MAKER) as write:
        sales = await stored_gateways.named(write.connection, "sales")
        assert sales is not None
        client, _ = await oauth_clients.create(write, acting.a_client(name=name))
        for one in people:
            grant = await acting.new_grant(write, client, one.id, sales.id)
            await oauth_grants.redeem(write.connection, digest(one.id), grant.id)
        await gateways.change(
            write, sales.id, lambda now: gateway_with(now, {"allowed_clients": [client.client_id]})
        )  # fmt: skip
    return client.id


async def _vouched_for(console: Console, person: User, team_id: str, name: str) -> str:
    """An identity provider with an endpoint elsewhere, which knows the person, and whose tokens `sales` takes."""
    url = "https://mcp.example.com/v1/mcp/sales"
    wanted = provider_fields(
        name=name, teams_claim="groups", roles_claim="realm_access.roles", highest_role="editor", audiences=(url,),
        team_rules=(TeamRule(name, team_id),), role_rules=(RoleRule("tool-curators", "editor"),),
    )  # fmt: skip
    at = "https://id.example.com/oauth2"
    async with changing(console.pool, MAKER) as write:
        provider = await identity_providers.create(write, wanted, "secret", console.deps.safeguards)
        endpoints = Endpoints(f"{at}/authorize", f"{at}/token", "https://keys.example.net/keys")
        await identity_providers.claim_try(write, provider.id, 0)
        await identity_providers.keep_endpoints(write, provider, endpoints)
        await write.connection.execute(
            """insert into identities (id, provider_id, issuer, subject, user_id, email, signed_in_at, checked_at)
               values ($1, $2, $3, 'bea', $4, 'bea@corp.test', now(), now())""",
            new_id(), provider.id, provider.issuer, person.id,
        )  # fmt: skip
        sales = await write.connection.fetchval("select id from gateways where slug = 'sales'")
        await gateways.change(write, sales, lambda now: gateway_with(now, {"identity_provider_id": provider.id}))
    return provider.id


async def _said_of(console: Console, person: User, provider_id: str, group: str) -> None:
    """The person signed in with the provider, which said this of them."""
    async with changing(console.pool, MAKER) as write:
        provider = await stored_providers.one(write.connection, provider_id)
        assert provider is not None
        identity = await identities.link(write, provider, a_person(subject="admin"), person.id)
        said = to_keep(
            provider,
            {
                "sub": "00u1a2b3c4", "email": "ann@corp.test", "email_verified": True, "department": HEBREW,
                "groups": [provider.team_rules[0].value, group], "realm_access": {"roles": ["tool-curators"]},
            },
        )  # fmt: skip
        kept = SignInGiven(claims=console.deps.seals.provider_claims(identity.id, said.packed()))
        await identities.sign_in(write, provider, identity, a_person(), kept)


async def _tried(console: Console, person: User, client: str, gateway: str) -> None:
    """A client that stopped at its consent, and one that a stranger made up."""
    reason, cure = "The gateway sales lets in only the clients that it names.", f"Let it in: archway gateways {LONG}"
    notes = console.deps.sign_ins
    await notes.note(NewAttempt(step="registered", client=client, address="2001:db8:1:2:3:4:5:6"))
    await notes.note(
        NewAttempt(
            step="authorised", client=client, gateway=gateway, user_id=person.id, address="192.0.2.1", reason=reason,
            asked=f"client_id {LONG} \u202eevil", cure=cure,
        )
    )  # fmt: skip


def _gateway(slug: str, name: str, description: str) -> GatewayFields:
    return gateway_fields(slug=slug, name=name, description=description)


@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_can_be_used_by_everybody(visits: Visits, console: Console, look: str) -> None:
    lived = await lived_in(console)
    visits.expected = ("404",)
    page, found = await visits.page(lived.admin, look), {}
    for name in NAMES:
        await page.goto(lived.path(name))
        await shot(page, f"{name}-{look}")
        found[name] = [*await serious_findings(page), *(["too wide"] if await overflows(page) else [])]
    assert not {name: told for name, told in found.items() if told}


@pytest.mark.parametrize("look", ["wide-light", "narrow-dark"])
async def test_no_name_breaks_a_page(visits: Visits, console: Console, look: str) -> None:
    lived = await lived_in(console, odd=True)
    visits.expected = ("404",)
    page, wide = await visits.page(lived.admin, look), []
    for name in NAMES:
        await page.goto(lived.path(name))
        await shot(page, f"odd-{name}-{look}")
        wide += [name] if await overflows(page) else []
    assert not wide


async def test_a_page_outside_can_be_used_by_everybody(visits: Visits) -> None:
    visits.expected = ("404",)
    for look in LOOKS:
        page = await visits.page(None, look)
        await page.goto("/nothing-here")
        await shot(page, f"outside-{look}")
        assert not await serious_findings(page)
