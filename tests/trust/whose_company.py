"""A company with one gateway on which each kind of credential has a tool, and callers of every kind, each made as
such a caller comes to be. For the test of the table of whose token reaches a server, and for its trial with Keycloak.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
from aiohttp import web
from yarl import URL

from control.credentials.whose import CallerKind, Wanted
from core.identifiers import new_id
from tests.fixtures_admin import AdminClient
from tests.fixtures_archway import RunningArchway
from tests.fixtures_people import Browser
from tests.fixtures_system import Outcome, modern_request, outcome_of
from tests.oauth.flow import CHALLENGE, VERIFIER, claims_of, told

AUDIENCE = "api://work"
KEYS: dict[str, str] = {"static": "the-key", "oauth": "of-the-account", "client_credentials": "of-the-client"}
"""What installations hold, by the kind of credential."""
_AT_CLIENT = "https://client.example.com/callback"
_GRANT = "urn:ietf:params:oauth:grant-type"


@dataclass(frozen=True)
class AtServer:
    """The authorization server of the company's servers, and the client that Archway is there."""

    issuer: str
    client_id: str
    client_secret: str


class Vouches(Protocol):
    """The company's identity provider."""

    issuer: str
    fields: dict[str, Any]
    """What Archway is told of its clients."""

    async def ready(self, company: Company, agent: str) -> None:
        """It knows Ann by `company.email`, and the client that brings assertions to Archway."""

    async def sign_in(self, address: str) -> str:
        """Ann signs in there; where her browser is sent back to."""

    async def own_tokens(self) -> dict[CallerKind, str]:
        """Those that a person, a job and somebody without an account come with."""

    async def assertion(self, company: Company) -> str | None:
        """About Ann, for the gateway; None where it issues none."""

    def is_of(self, said: dict[str, Any], token: str) -> bool:
        """Whether what an exchange gave, which says this, came of that token."""


@dataclass
class Company:
    """A gateway on which each kind of credential has a tool, named after it, and whom its callers are."""

    archway: RunningArchway
    admin: AdminClient
    http: aiohttp.ClientSession
    idp: Vouches
    at_server: AtServer
    slug: str
    tokens: dict[CallerKind, str] = field(default_factory=dict)
    subjects: dict[CallerKind, str] = field(default_factory=dict)
    """Whom a caller is at the identity provider, for those who are somebody there."""
    keys: dict[CallerKind, str] = field(default_factory=dict)
    """Each caller as Archway names them."""

    @property
    def base(self) -> str:
        return str(self.archway.up["proxy_url"])

    @property
    def email(self) -> str:
        """Ann's."""
        return f"{self.slug}@corp.test"

    @property
    def for_outsiders(self) -> str:
        """The slug of another gateway with the same tools, for a team: who has no account here sees no other."""
        return f"o{self.slug}"

    @property
    def url(self) -> str:
        return f"{self.base}/v1/mcp/{self.slug}"

    async def call(self, caller: CallerKind, wanted: Wanted) -> Outcome:
        body, headers = modern_request("tools/call", {"name": wanted, "arguments": {}}, self.tokens[caller])
        url = self.url if caller != "external" else f"{self.base}/v1/mcp/{self.for_outsiders}"
        async with self.http.post(url, data=body, headers=headers) as answer:
            return outcome_of(answer.status, answer.headers, await answer.read())

    async def key_of(self, caller: CallerKind) -> str:
        """The caller as Archway names them; who has no account is known by it from their first call on."""
        if caller == "external":
            subject, issuer = self.subjects[caller], self.idp.issuer
            seen = await self.admin.items("/external-principals")
            (one,) = [row for row in seen if (row["issuer"], row["subject"]) == (issuer, subject)]
            return f"external:{one['id']}"
        return self.keys[caller]

    async def gives(self, **fields: str) -> dict[str, Any]:
        """What our token endpoint gives for this."""
        async with self.http.post(f"{self.base}/oauth/token", data=fields) as answer:
            said = await answer.json()
            assert answer.status == 200, said
            return dict(said)


@asynccontextmanager
async def opened(
    archway: RunningArchway, idp: Vouches, at_server: AtServer, server_url: str
) -> AsyncIterator[Company]:
    """The company; its servers are all at that URL."""
    async with AsyncExitStack() as ending:
        http = await ending.enter_async_context(aiohttp.ClientSession())
        admin = AdminClient(http, archway.up["control_url"], archway.up["admin_token"], {})
        company = Company(archway, admin, http, idp, at_server, "t" + new_id().replace("-", "")[-20:])
        job = await admin.made("/oauth-clients", _BY_ITSELF | {"name": f"Job {company.slug}"})
        agent = await admin.made(
            "/oauth-clients",
            {"name": f"Agent {company.slug}", "redirect_uris": [_AT_CLIENT], "auth_method": "client_secret_post"},
        )
        await idp.ready(company, agent["client_id"])
        team = await admin.made("/teams", {"name": company.slug})
        provider = await admin.made("/identity-providers", _provider(idp, job["id"], team["id"]))
        tested = await admin.post(f"/identity-providers/{provider['id']}/test", {})
        assert tested.status == 200, tested.body
        ways = {"identity_provider_id": provider["id"], "identity_provider_audience": AUDIENCE}
        named = {"slug": company.slug, "name": company.slug, "takes_assertions": True}
        of_team = {"slug": company.for_outsiders, "name": "Team", "visibility": "teams", "teams": [team["id"]]}
        gateways = [(await admin.made("/gateways", one | ways))["id"] for one in (named, of_team)]
        tokens_url = await ending.enter_async_context(_token_endpoint())
        await _install(company, gateways, _entries(company, provider["id"], server_url, tokens_url))
        await _tokens(company, team["id"])
        await _programs(company, job, agent)
        await _person(company, ending, agent)
        yield company


_BY_ITSELF = {"acts": "by_itself", "auth_method": "client_secret_post"}


def _provider(idp: Vouches, job_id: str, team_id: str) -> dict[str, Any]:
    return {
        "slug": "corp", "name": "Corp", "issuer": idp.issuer, "sign_in": True, "audiences": [AUDIENCE],
        "allowed_domains": ["corp.test"], "scopes": ["openid", "profile", "email", "offline_access"],
        "admits_external": True, "teams_claim": "groups", "team_rules": [{"value": "partners", "team_id": team_id}],
        "service_rules": [{"oauth_client_id": job_id, "claims": {"repository": "acme/app"}}], **idp.fields,
    }  # fmt: skip


@asynccontextmanager
async def _token_endpoint() -> AsyncIterator[str]:
    """Where a client of an installation gets its token."""

    async def token(_: web.Request) -> web.Response:
        said = {"access_token": KEYS["client_credentials"], "token_type": "Bearer", "expires_in": 3600}
        return web.json_response(said)

    app = web.Application()
    app.router.add_post("/token", token)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _entries(
    company: Company, provider_id: str, url: str, tokens_url: str
) -> dict[Wanted, tuple[dict[str, Any], dict[str, Any]]]:
    """By kind, what its entry and its installation say."""
    at_server = {"issuer": company.at_server.issuer, "client_id": company.at_server.client_id}
    places: dict[Wanted, dict[str, Any]] = {
        "none": {},
        "static": {"style": "bearer"},
        "oauth": {
            "registration": "own", "client_id": "x", "client_authentication": "none", "issuer": tokens_url,
            "authorization_endpoint": f"{tokens_url}/authorize", "token_endpoint": f"{tokens_url}/token",
            "resource": "omit",
        },
        "client_credentials": {
            "issuer": tokens_url, "token_endpoint": f"{tokens_url}/token", "resource": "omit",
        },
        "token_exchange": {"identity_provider_id": provider_id, "audience": "crm"},
        "id_jag": {"identity_provider_id": provider_id, **at_server},
        "passthrough": {"audiences": [AUDIENCE]},
        "caller_statement": {},
    }  # fmt: skip
    more: dict[Wanted, dict[str, Any]] = {
        "id_jag": {"client_secret": company.at_server.client_secret},
        "caller_statement": {"credential_model": "none", "caller_statement": {"header": "x-caller"}},
    }
    given: dict[Wanted, dict[str, Any]] = {
        "static": {"credential": KEYS["static"]},
        "client_credentials": {"values": {"client_id": "x"}, "credential": "secret"},
    }
    return {
        kind: (
            {"credential_model": kind, "url": url}
            | ({"credential_placement": placed} if placed else {})
            | more.get(kind, {}),
            given.get(kind, {}),
        )
        for kind, placed in places.items()
    }


async def _install(
    company: Company, gateways: list[str], entries: dict[Wanted, tuple[dict[str, Any], dict[str, Any]]]
) -> None:
    admin = company.admin
    for kind, (said, given) in entries.items():
        slug = f"{kind.replace('_', '-')}-{company.slug}"
        entry = await admin.made("/entries", {"slug": slug, "name": kind} | said)
        installed = await admin.made("/installations", {"entry_id": entry["id"], "scope": "organisation"} | given)
        if kind == "oauth":
            path = f"/installations/{installed['id']}/account"
            answer = await admin.put(path, {"access_token": KEYS["oauth"], "expires_in": 3600})
            assert answer.status == 200, answer.body
            installed = answer.json
        assert installed["state"] == "ready", (kind, installed)
        tool = {"entry": slug, "installation": installed["id"], "tools": [kind], "prefix": False}
        for gateway in gateways:
            answer = await admin.post(f"/gateways/{gateway}/assignments", tool)
            assert answer.status == 201, answer.body


async def _tokens(company: Company, team_id: str) -> None:
    """The callers by tokens of a team and of the organisation."""
    for kind, of in (("team", {"team_id": team_id}), ("organisation", {})):
        made = await company.admin.made("/tokens", {"name": company.slug, "kind": kind} | of)
        caller: CallerKind = "team_token" if kind == "team" else "organisation_token"
        company.tokens[caller] = made["secret"]
    company.keys |= {"team_token": f"team:{team_id}", "organisation_token": "organisation"}


async def _programs(company: Company, job: dict[str, Any], agent: dict[str, Any]) -> None:
    """A service account, and all who come with the provider's own tokens."""
    account = await company.admin.made("/oauth-clients", _BY_ITSELF | {"name": f"Nightly {company.slug}"})
    proof = {name: account[name] for name in ("client_id", "client_secret")}
    given = await company.gives(grant_type="client_credentials", resource=company.url, **proof)
    company.tokens["service_account"] = given["access_token"]
    company.keys |= {"service_account": f"service:{account['id']}", "ci_job": f"service:{job['id']}"}
    of_provider = await company.idp.own_tokens()
    company.tokens |= of_provider
    company.subjects |= {caller: claims_of(token)["sub"] for caller, token in of_provider.items()}


async def _person(company: Company, ending: AsyncExitStack, agent: dict[str, Any]) -> None:
    """Ann, who has signed in with her provider: by a token of hers, by what she allowed a client, by an assertion."""
    admin, idp = company.admin, company.idp
    ann = await admin.made("/users", {"name": "Ann", "email": company.email})
    cookies = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
    browser = Browser(await ending.enter_async_context(cookies), company.base, "")
    off = await browser.get("/sign-in/oidc/corp?return_to=/my/access")
    assert off.status == 303, off.words
    back = await idp.sign_in(off.to)
    entered = await browser.get(back.removeprefix(company.base))
    assert entered.status == 303, entered.words
    made = await admin.made("/tokens", {"name": "Ann", "kind": "user", "user_id": ann["id"]})
    proof = {name: agent[name] for name in ("client_id", "client_secret")}
    company.tokens["user_token"] = made["secret"]
    company.tokens["oauth"] = await _allowed(company, browser, proof)
    assertion = await idp.assertion(company)
    if assertion is not None:
        given = await company.gives(grant_type=f"{_GRANT}:jwt-bearer", assertion=assertion, **proof)
        company.tokens["id_jag"] = given["access_token"]
    people: tuple[CallerKind, ...] = ("user_token", "oauth", "id_jag", "provider_token")
    company.keys |= dict.fromkeys(people, f"user:{ann['id']}")
    company.subjects |= dict.fromkeys(people, company.subjects["provider_token"])


async def _allowed(company: Company, browser: Browser, proof: dict[str, str]) -> str:
    asked = {
        "response_type": "code", "client_id": proof["client_id"], "redirect_uri": _AT_CLIENT, "state": "s",
        "scope": "mcp", "code_challenge": CHALLENGE, "code_challenge_method": "S256", "resource": company.url,
    }  # fmt: skip
    page = await browser.get(str(URL("/oauth/authorize").with_query(asked)))
    assert page.to.startswith("/consent/"), (page.to, page.words)
    code = told((await browser.fill_in(page.to, decision="allow")).to)["code"]
    given = await company.gives(
        grant_type="authorization_code", code=code, redirect_uri=_AT_CLIENT, code_verifier=VERIFIER, **proof
    )
    return str(given["access_token"])
