"""The listener for people, served on a loopback port over a real PostgreSQL and a real Valkey, and browsers.

    async def test_something(people):                          # from fixtures_people
        ann = await people.person("Ann", "a long password")   # with a password
        browser = await people.browser()                           # a cookie jar of its own
        page = await browser.sign_in(ann["email"], "a long password")
        assert page.status == 303

A browser says of each form where it comes from, as real ones do, and follows no redirect by itself. Passwords are
hashed as weakly as the library allows: how strong a hash is, is a number of the program.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from html import unescape
from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest
from argon2 import PasswordHasher
from yarl import URL

from control.accounts.our_client import our_client
from control.accounts.renewals import Renewals
from control.accounts.sign_ins import SignIns
from control.accounts.upstream_providers import UpstreamProviders
from control.changes import people as changes
from control.changes import users
from control.changes.safeguards import Safeguards
from control.changes.write import changing
from control.console.problem_page import problem_page
from control.credentials.usable import Usable
from control.discovery.discover import Discoverer
from control.discovery.probe_client import ProbeClient
from control.discovery.under_way import DiscoveriesUnderWay
from control.explain.dry_usable import Opening
from control.explain.explaining import Explaining
from control.http.listener import listen
from control.identity.key_sets import KeySets
from control.identity.single_sign_on import SingleSignOn
from control.providers.asking import Asker
from control.proxies import Proxies
from control.public.app import build_app
from control.public.deps import PublicDeps
from control.public_listener import PARTS
from control.redis import Redis
from control.registry.access import Caller, Role
from control.registry.refresh_token import RefreshTokens
from control.registry.row_seals import RowSeals
from control.registry.sign_in_link import Purpose
from control.registry.user import NewUser
from control.sign_in.door import Door
from control.sign_in.passwords import Passwords
from control.sign_in.routes import routes
from control.sign_in.session import new_secret
from control.store.pool import Pool, transaction
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.internal_call import InternalCalls
from core.jwt import AccessTokenSigner
from core.keys import new_key, parse_key_ring
from core.signing import Signer
from core.tokens import digest
from tests.fakes.explaining_proxy import explaining_proxy
from tests.fixtures_redis import RedisServer

ISSUER = "http://127.0.0.1:8400"
"""Where people's pages are said to be; the browser is told another port, which is the same host to it."""
PASSWORD = "correct horse battery"
NOBODY = Caller(user_id="", name="process", role="admin", address="127.0.0.1", request_id="r-1")
WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(slots=True)
class Shown:
    """What a browser got, read to its end."""

    status: int
    headers: Any
    text: str = field(repr=False)

    @property
    def to(self) -> str:
        """Where it is sent on to; '' where it is not."""
        return str(self.headers.get("Location", ""))

    @property
    def words(self) -> str:
        """The page without its tags."""
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.text)).split())

    def value_of(self, name: str) -> str:
        """What stands in a field of the page's form."""
        found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', self.text)
        assert found, f"no field {name} in: {self.words[:400]}"
        return unescape(found[1])


class Browser:
    """One browser: its cookies, and how it fills in forms."""

    def __init__(self, session: aiohttp.ClientSession, url: str, address: str) -> None:
        self._session, self.url, self._address = session, url, address

    async def send(self, method: str, path: str, fields: dict[str, str] | None = None, **headers: str) -> Shown:
        sent = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin", "User-Agent": "Firefox/150"}
        sent |= {"X-Forwarded-For": self._address}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in sent.items() if value}
        async with self._session.request(
            method, self.url + path, data=fields, headers=sent, allow_redirects=False
        ) as response:
            return Shown(response.status, response.headers, await response.text())

    async def get(self, path: str, **headers: str) -> Shown:
        return await self.send("GET", path, **headers)

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> Shown:
        return await self.send("POST", path, fields, **headers)

    async def fill_in(self, path: str, **fields: str) -> Shown:
        """Load a page and send its form with these fields, as a person does."""
        page = await self.get(path)
        assert page.status == 200, page.words
        return await self.post(path.partition("?")[0], {"csrf": page.value_of("csrf"), **fields})

    async def sign_in(self, email: str, password: str, return_to: str = "/people") -> Shown:
        return await self.fill_in("/sign-in", email=email, password=password, return_to=return_to)

    async def is_in(self) -> bool:
        """Whether the browser has a session: the sign-in page leads on."""
        return (await self.get("/sign-in")).status == 303

    def cookie(self, word: str) -> str:
        return next((one.value for one in self._session.cookie_jar if one.key == f"{word}-8400"), "")

    def kept(self, beginning: str) -> tuple[str, str]:
        """The cookie whose word begins so, and its value."""
        (found,) = [one for one in self._session.cookie_jar if one.key.startswith(beginning) and one.value]
        return found.key.removesuffix("-8400"), found.value

    def keeps(self, word: str, value: str) -> None:
        """The browser has this cookie, whoever put it there."""
        self._session.cookie_jar.update_cookies({f"{word}-8400": value}, response_url=URL(self.url))


class People:
    """A deployment's people, and browsers for them."""

    def __init__(self, pool: Pool, url: str, ending: AsyncExitStack) -> None:
        self.pool, self.url, self._ending = pool, url, ending
        self._browsers = 0

    async def browser(self, address: str = "") -> Browser:
        """A new browser, with an address of its own unless one is given."""
        self._browsers += 1
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), auto_decompress=True)
        await self._ending.enter_async_context(session)
        return Browser(session, self.url, address or f"203.0.113.{self._browsers}")

    async def person(self, name: str, password: str = "", role: Role = "member") -> dict[str, Any]:
        """A user; with a password if one is given."""
        async with changing(self.pool, NOBODY) as write:
            made = await users.create(write, NewUser(name=name, email=f"{name.lower()}@example.com", role=role))
        if password:
            async with changing(self.pool, replace(NOBODY, user_id=made.id)) as write:
                await changes.set_password(write, WEAK.hash(password))
        return {"id": made.id, "email": made.email, "name": made.name}

    async def link(self, user_id: str, purpose: Purpose = "reset") -> str:
        """The path of a new link for this user."""
        secret = new_secret()
        maker = replace(NOBODY, user_id=user_id) if purpose == "sign_in" else NOBODY
        async with changing(self.pool, maker) as write:
            await changes.make_link(write, user_id, purpose, digest(secret))
        return f"/sign-in/link/{secret}"

    async def rows(self, sql: str, *values: object) -> list[Any]:
        async with transaction(self.pool) as connection:
            return list(await connection.fetch(sql, *values))


@pytest.fixture
async def public_deps(pool: Pool, redis_server: RedisServer) -> AsyncIterator[PublicDeps]:
    """What the parts of the listener for people stand on."""
    ring = parse_key_ring("ARCHWAY_SECRET_KEY", new_key())
    seals = RowSeals(ring)
    signer = Signer(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()))
    addresses = AddressPolicy(parse_networks("127.0.0.0/8"))  # where the identity providers of tests are
    async with Redis(redis_server.url, deadline_s=2.0) as redis, Egress(addresses) as egress:
        asker = Asker(egress, addresses)
        key_sets = KeySets(pool, asker, signer)
        safeguards = Safeguards(seals, addresses)
        no_proxy = ProbeClient(Proxies(egress, [], InternalCalls(ring, caller="control", answerer="proxy")))
        renewals = Renewals(pool, asker, seals)
        discoveries = DiscoveriesUnderWay(Discoverer(pool, no_proxy, safeguards, Usable(seals, renewals)), redis)
        async with explaining_proxy(pool, signer) as proxies:
            yield PublicDeps(
                pool=pool,
                redis=redis,
                seals=seals,
                safeguards=safeguards,
                discoveries=discoveries,
                account_sign_ins=SignIns(pool, seals, UpstreamProviders(pool, asker, seals, our_client(ISSUER))),
                explaining=Explaining(pool, proxies, Opening(seals, None), ISSUER),
                signer=signer,
                egress=egress,
                single_sign_on=SingleSignOn(pool, asker, key_sets, seals, ISSUER),
                key_sets=key_sets,
                public_url=ISSUER,
                issuer_url=ISSUER,
                allowed_hosts=frozenset({"127.0.0.1", "localhost"}),
                access_tokens=AccessTokenSigner(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()), ISSUER),
                refresh_tokens=RefreshTokens(ring),
                trusted_proxies=(ip_network("127.0.0.0/8"),),
            )
        await discoveries.close()
        await renewals.close()
        await key_sets.close()


@pytest.fixture
async def people(public_deps: PublicDeps) -> AsyncIterator[People]:
    """The listener for people with all of its parts."""
    sign_in = partial(routes, door=Door(public_deps, Passwords(WEAK)))
    parts = [sign_in if part is routes else part for part in PARTS]
    runner, port = await listen(build_app(public_deps, parts, problem_page), "127.0.0.1", 0)
    async with AsyncExitStack() as ending:
        yield People(public_deps.pool, f"http://127.0.0.1:{port}", ending)
    await runner.cleanup()
