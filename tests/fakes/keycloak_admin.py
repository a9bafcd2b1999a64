"""Keycloak as an administrator of all its realms sees it, and whoever fills in its pages. Needs `make keycloak`."""

from __future__ import annotations

import asyncio
import re
import time
from html import unescape
from typing import Any
from urllib.parse import urljoin

import aiohttp


class KeycloakAdmin:
    """The admin API of a Keycloak that runs at `url`."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url, self._session, self._token, self._since = url, session, "", 0.0

    async def answers(self) -> None:
        """Wait until it answers: it listens before."""
        for _ in range(60):
            async with self._session.get(f"{self.url}/realms/master") as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(1.0)

    async def _signed_in(self) -> None:
        """Sign in as the first admin, whose tokens live for a minute."""
        if time.monotonic() - self._since < 30.0:
            return
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
        url = f"{self.url}/realms/master/protocol/openid-connect/token"
        async with self._session.post(url, data=form) as answer:
            assert answer.status == 200, await answer.text()
            self._token = str((await answer.json())["access_token"])
        self._since = time.monotonic()

    async def new_realm(self, name: str, **settings: Any) -> None:
        """An empty realm of this name, in place of one that is there."""
        if any(realm["realm"] == name for realm in await self.ask("GET", "")):
            await self.ask("DELETE", f"/{name}")
        await self.ask("POST", "", {"realm": name, "enabled": True, "sslRequired": "none", **settings})

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the admin API answers; `path` begins behind `/admin/realms`."""
        await self._signed_in()
        headers = {"Authorization": f"Bearer {self._token}"}
        url = f"{self.url}/admin/realms{path}"
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            assert answer.status < 300, (method, path, answer.status, await answer.text())
            return await answer.json() if answer.content_type == "application/json" else None


def mapper(name: str, kind: str, config: dict[str, str]) -> dict[str, Any]:
    """A protocol mapper that writes into every token."""
    told = {"id.token.claim": "true", "access.token.claim": "true", "userinfo.token.claim": "true", **config}
    return {"name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": told}


def person(name: str, password: str, **more: Any) -> dict[str, Any]:
    """A user of a realm, as they are made."""
    return {
        "username": name.lower(), "email": f"{name.lower()}@corp.test", "emailVerified": True, "firstName": name,
        "lastName": "Archer", "enabled": True,
        "credentials": [{"type": "password", "value": password, "temporary": False}], **more,
    }  # fmt: skip


async def filled_in(browser: aiohttp.ClientSession, address: str, **fields: str) -> str:
    """Fill in the form that the address shows: where the browser is sent to."""
    async with browser.get(address) as page:
        text = await page.text()
        found = re.search(r'<form[^>]*action="([^"]+)"', text)
        assert found is not None, (page.status, text[:2_000])
        action = urljoin(str(page.url), unescape(found[1]))
    async with browser.post(action, data=fields, allow_redirects=False) as answer:
        assert answer.status in {302, 303}, (answer.status, await answer.text())
        return answer.headers["Location"]
