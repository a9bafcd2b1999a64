"""Every route for people, asked by each kind of caller in a browser: allowed or refused as the tables say.

The walk of `test_every_operation.py` for the listener for people: a page names the operation of the admin API that
does the same, and what is expected follows from the action of that operation alone. Each page is asked of what is the
caller's own, of what is their team's, and of what is others'. Routes that no table names are listed here by hand, so
that a new one is looked at. And the admin API is asked with all that opens pages and gateways, which opens nothing
there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import pytest

from control.admin.permissions import TABLE
from control.console.routes import PAGES, PageRoute, live_routes
from control.public.deps import PublicDeps
from control.public_listener import public_app
from control.registry.actions import Action
from control.sign_in.session import begin
from control.store.pool import Pool, transaction
from tests.control.registry_api import Api, api
from tests.control.test_every_operation import (
    ANY,
    KINDS,
    OTHERS,
    OWN,
    REFUSED,
    TEAM,
    Kind,
    World,
    build,
    operations,
    scopes_of,
    status_of,
)
from tests.fixtures_people import People
from tests.oauth.flow import Flow, flow

__all__ = ["api", "build", "flow"]
WALKED = (*PAGES, *live_routes())
OPEN = {
    "GET /sign-in", "POST /sign-in", "POST /sign-out", "GET /static/{hash}/{file}", "GET /health", "GET /ready",
    "GET /sign-in/link/{secret}", "POST /sign-in/link/{secret}",
    "GET /sign-in/oidc/{provider}", "GET /sign-in/oidc/{provider}/callback",
    # for programs, which have proofs of their own
    "GET /.well-known/oauth-authorization-server", "GET /.well-known/openid-configuration", "GET /oauth/jwks",
    "GET /oauth/statement-jwks", "GET /oauth/clients-of-servers/{entry}",
    "POST /oauth/token", "POST /token", "POST /oauth/register", "POST /register", "POST /oauth/revoke",
}  # fmt: skip
"""What strangers may ask for."""
OF_A_PERSON = {
    "GET /my/password", "POST /my/password", "GET /consent/{request_id}", "POST /consent/{request_id}",
    # whom a link is for is judged by the page itself: tests/control/test_install_links.py
    "GET /install/{entry}", "POST /install/{entry}", "POST /install/{entry}/hosts",
    "GET /install/callback/{entry}",
    "GET /install/sign-ins/{sign_in_id}", "POST /install/sign-ins/{sign_in_id}/connect",
    "POST /install/sign-ins/{sign_in_id}/another", "POST /install/sign-ins/{sign_in_id}/cancel",
    "GET /install/done/{installation_id}",
}  # fmt: skip
"""About the session that asks, and nothing else: whoever is signed in may."""
AUTHORIZE = {"GET /oauth/authorize", "GET /authorize"}
"""Whose checks say when there must be a person (`control/oauth/authorize/list.py`)."""
EVERYBODYS = {"GET /", "GET /find", "GET /my/access", "GET /tokens/new", "POST /tokens/new"}
"""Whoever is signed in may ask for these: each shows what is the person's own, or judges by itself."""
SCOPES: Mapping[str, tuple[str, ...]] = {
    "session_id": (OWN, OTHERS),
    "grant_id": (OWN, OTHERS),
    "gateway": (OWN, OTHERS),
    "token_id": (OWN, TEAM, OTHERS),
    "record_id": (OWN, TEAM, OTHERS),
    "user_id": (OWN, OTHERS),
    "team_id": (TEAM, OTHERS),
    "entry_id": (TEAM, OTHERS),
    "installation_id": (OWN, TEAM, OTHERS),
    "pull_secret_id": (TEAM, OTHERS),
    "environment_id": (OTHERS,),
    "egress_preset_id": (OTHERS,),
}
"""Whose the object can be that a path names."""
OF_ANY = {"/registry/{entry_id}/install"}
"""Of an entry that is shown to all: it is installed for the caller themselves."""
ALSO: Mapping[str, Action] = {
    "POST /people/invite": "link:create",  # lets somebody in, and makes their link
    "POST /people/{user_id}": "user:read",  # shows the form again
    "POST /gateways/{gateway_id}/tools/{assignment_id}/again": "assignment:read",
    "GET /gateways/{gateway_id}/explain": "gateway:read",
    "POST /gateways/{gateway_id}/explain": "gateway:read",
    "GET /registry/{entry_id}/change": "entry:read",
    "POST /registry/{entry_id}/change": "entry:read",
    "POST /registry/{entry_id}/discover-through": "entry:read",
    "GET /registry/{entry_id}/override": "entry:read",
    "POST /registry/{entry_id}/override": "entry:read",
    "POST /registry/{entry_id}/delete": "entry:read",
    "GET /installations/{installation_id}/change": "installation:read",
    "POST /installations/{installation_id}/change": "installation:read",
    "POST /installations/{installation_id}/delete": "installation:read",
    "POST /gateways/{gateway_id}/tools/{assignment_id}": "assignment:read",  # the same
    "POST /pull-secrets/{pull_secret_id}/delete": "pull_secret:read",  # the list again
}
"""What a page needs besides."""
STALE = "999999"
FORMS: Mapping[str, Mapping[str, str]] = {
    "/connect/{gateway}/token": {"client": "curl"},
    "/tokens/new": {"name": "New", "use": "gateways", "whose": "mine", "days": "7"},
    "/gateways/new": {"name": "Mine", "slug": "mine-too", "visibility": "personal"},
    "/gateways/{gateway_id}/edit": {"name": "Another", "slug": "mine", "visibility": "personal", "version": STALE},
    "/gateways/{gateway_id}/tools/{assignment_id}": {"exposed_name": "another", "version": STALE},
    "/gateways/{gateway_id}/tools/{assignment_id}/again": {"exposed_name": "again"},
    "/gateways/{gateway_id}/explain": {"tool": "t"},
    "/people/invite": {"name": "New", "email": "new@example.com", "role": "member"},
    "/people/{user_id}": {"name": "Another", "version": STALE},
    "/teams/new": {"name": "Green"},
    "/teams/{team_id}": {"name": "Another", "version": STALE},
    "/teams/{team_id}/members": {"role": "member"},
    "/registry/{entry_id}/install": {"whose": "personal", "name": "", "protocol": "auto"},
    "/registry/{entry_id}/change": {"name": "Another", "version": STALE},
    "/registry/{entry_id}/discover-through": {"version": STALE},
    "/registry/{entry_id}/override": {"override": "# nothing", "version": STALE},
    "/registry/{entry_id}/delete": {"cascade": "true", "version": STALE},
    "/installations/{installation_id}/change": {"name": "Another", "protocol": "auto", "version": STALE},
    "/installations/{installation_id}/delete": {"cascade": "true", "version": STALE},
    "/pull-secrets/{pull_secret_id}/delete": {"version": STALE},
    "/environments/new": {"name": "Ours", "mode": "none"},
    "/environments/{environment_id}/edit": {"name": "Another", "mode": "none", "version": STALE},
    "/environments/{environment_id}/delete": {"version": STALE},
    "/egress-presets/new": {"name": "Ours", "domains": "example.com"},
    "/egress-presets/{egress_preset_id}": {"name": "Another", "domains": "example.com", "version": STALE},
    "/egress-presets/{egress_preset_id}/delete": {"version": STALE},
}
"""What is sent beside the identifiers of the object. Each would do as it is, but for a version that is not now's."""
ENDS_THE_CALLER = {("/people/{user_id}/disable", OWN), ("/people/{user_id}/delete", OWN)}


def shape(path: str) -> str:
    """The path without the patterns of its parameters."""
    return path.replace(":[0-9a-f-]{36}", "").replace(":[A-Za-z0-9_-]{16,128}", "").replace(":[a-z0-9-]{1,63}", "")


def in_order() -> list[PageRoute]:
    """What takes something away comes last."""
    taking = ("/end", "/withdraw", "/revoke", "/disable", "/revoke-tokens", "/end-sessions", "/remove", "/delete")
    return sorted(WALKED, key=lambda page: next((n for n, end in enumerate(taking, 1) if page.path.endswith(end)), 0))


def scopes(page: PageRoute) -> tuple[str, ...]:
    if shape(page.path) in OF_ANY:
        return (ANY,)
    return next((found for name, found in SCOPES.items() if f"{{{name}" in page.path), (ANY,))


def expected(world: World, page: PageRoute, scope: str) -> bool:
    """What the tables say."""
    also = ALSO.get(f"{page.method} {shape(page.path)}")
    return world.expects(TABLE[page.needs][0], scope) and (also is None or world.expects(also, scope))


class Caller:
    """Somebody in a browser; each request has a session of its own, since some end all that there are."""

    def __init__(self, pool: Pool, url: str, user_id: str) -> None:
        self._pool, self._url, self._user_id = pool, url, user_id

    async def status(self, method: str, path: str, form: Mapping[str, str]) -> int:
        async with transaction(self._pool) as connection:
            secret, session = await begin(connection, self._user_id, method="password", address="", agent="")
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin", "Cookie": f"archway-8400={secret}"}
        sent = {"csrf": session.csrf, **form} if method == "POST" else None
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
            http.request(method, self._url + path, data=sent, headers=headers, allow_redirects=False) as answer,
        ):
            assert "/sign-in" not in answer.headers.get("Location", ""), f"{method} {path}: the session was lost"
            return answer.status


async def ids_of(world: World, path: str, scope: str) -> dict[str, str]:
    """What a path names; a session is one that its owner has just begun."""
    ids = {**world.ids[ANY], **world.ids.get(scope, {})}
    ids |= {"gateway": ids.get("gateway_id", ""), "client_id": ids["oauth_client_id"]}
    if "{session_id}" in path:
        async with transaction(world.pool) as connection:
            _, session = await begin(connection, ids["user_id"], method="link", address="", agent="")
        ids["session_id"] = session.id
    return ids


def test_every_route_for_people_is_in_a_table_or_was_looked_at(public_deps: PublicDeps) -> None:
    routes = public_app(public_deps).router.routes()
    served = {f"{one.method} {shape(_path_of(one))}" for one in routes if one.method not in {"HEAD", "OPTIONS"}}
    walked = {f"{page.method} {shape(page.path)}" for page in WALKED}
    assert served == walked | OPEN | OF_A_PERSON | AUTHORIZE
    assert {page.needs for page in WALKED} <= set(TABLE)
    assert {f"{page.method} {page.path}" for page in WALKED if page.needs == "GET /me"} == EVERYBODYS


def _path_of(route: Any) -> str:
    told = route.resource.get_info()
    found = told.get("path") or told["formatter"]
    return str(found)


async def test_a_stranger_is_led_to_the_door_from_every_page(people: People, pool: Pool) -> None:
    stranger, before = await people.browser(), await _everything(people)
    paths = [(page.method, page.path) for page in WALKED]
    paths += [tuple(one.split(" ")) for one in sorted(OF_A_PERSON)]  # type: ignore[misc]  # two words each
    for method, path in paths:
        where = re.sub(r"{\w+}", "0198e000-0000-7000-8000-000000000000", shape(path))
        page = await stranger.send(method, where, {"csrf": "x"} if method == "POST" else None)
        assert (page.status, page.to.partition("?")[0]) == (303, "/sign-in"), f"{method} {path}: {page.status}"
    assert await _everything(people) == before


async def _everything(people: People) -> Any:
    return await people.rows(
        "select (select count(*) from tokens), (select count(*) from users), (select count(*) from teams)"
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_each_page_is_there_or_not_as_the_table_says(
    kind: Kind, people: People, build: Callable[[Kind], Any]
) -> None:
    world = await build(kind)
    caller, wrong = Caller(people.pool, people.url, world.ids[OWN]["user_id"]), []
    for page in in_order():
        for scope in scopes(page):
            allowed, path = expected(world, page, scope), shape(page.path)
            if allowed and (path, scope) in ENDS_THE_CALLER:
                continue
            ids = await ids_of(world, path, scope)
            form = {"user_id": ids.get("user_id", "")} if "/members" in path else {}
            form |= {"role_id": ids["role_id"]} if "/roles" in path else {}
            status = await caller.status(page.method, _filled(path, ids), {**form, **FORMS.get(path, {})})
            if (status not in REFUSED) != allowed or status >= 500:
                wrong.append(f"{page.method} {path}, {scope}: {status}, and the table says {allowed}")
    assert not wrong, "\n".join(wrong)


def _filled(path: str, ids: Mapping[str, str]) -> str:
    return shape(path).format_map(ids)


async def test_no_page_and_no_gateways_credential_opens_the_api(
    api: Api, build: Callable[[Kind], Any], flow: Flow
) -> None:
    """A browser session in whatever form, and all that an OAuth client was given: each is nobody there."""
    world = await build(KINDS[0])
    async with transaction(api.pool) as connection:
        secret, session = await begin(connection, api.admin.user["id"], method="password", address="", agent="")
    client = await flow.register()
    code = (await flow.authorized(client["client_id"]))["code"]
    given = await flow.signed_in(client, prompt="consent")
    bearers = [
        secret,
        session.csrf,
        session.id,
        code,
        given["access_token"],
        given["refresh_token"],
        client["client_id"],
    ]
    for bearer in bearers:
        stranger = World(_with_cookie(api, bearer, secret), world.kind, world.ids, world.pool)
        for method, path, _ in await operations(api.admin):
            scope = next(scopes_of(method, path))  # whose it is does not matter to nobody
            assert await status_of(stranger, method, path, scope) == 401, f"{method} {path} with {bearer[:6]}"


def _with_cookie(api: Api, bearer: str, secret: str) -> Any:
    """Somebody with this bearer, in whose browser an admin is signed in."""
    plain = api.admin.bearing(bearer)

    class Both:
        async def send(self, method: str, path: str, body: Any = None, *, match: str | None = None) -> Any:
            return await plain.send(
                method, path, body, match=match, Cookie=f"archway-8400={secret}; __Host-archway={secret}"
            )

    return Both()
