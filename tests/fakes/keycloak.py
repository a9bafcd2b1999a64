"""Keycloak on loopback, with a realm for the tests, and a person who signs in at its form. Needs `make keycloak`."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import aiohttp

from archway.up.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".tools" / "keycloak"
CLIENT_ID, CLIENT_SECRET = "archway", "the-secret-of-archway"
PASSWORD = "the password of Ann"
_READY_SECONDS = 600.0
"""Its first start builds it: a minute on a quiet machine."""


@contextmanager
def running(data: Path) -> Iterator[str]:
    """A Keycloak in development mode with data of its own; where it is. It is ended with the block."""
    (home,) = FOLDER.glob("keycloak-*")
    port = free_port()
    shutil.rmtree(home / "data", ignore_errors=True)
    command = [
        str(home / "bin" / "kc.sh"), "start-dev", "--http-host=127.0.0.1", f"--http-port={port}",
        f"--hostname=http://127.0.0.1:{port}", "--hostname-backchannel-dynamic=true",
    ]  # fmt: skip
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ},
        "KC_BOOTSTRAP_ADMIN_USERNAME": "admin", "KC_BOOTSTRAP_ADMIN_PASSWORD": "admin",
        "JAVA_OPTS_KC_HEAP": "-Xms128m -Xmx700m",
    }  # fmt: skip
    log = (data / "keycloak.log").open("wb")
    with log, subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True) as process:
        try:
            _wait_for(port, process, data / "keycloak.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, 15)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()[-2_000:]
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(1.0)
    raise AssertionError("Keycloak did not start in time")


class Keycloak:
    """A realm as its administrator sees it."""

    def __init__(self, url: str, session: aiohttp.ClientSession, seen_at: str = "") -> None:
        """`seen_at`: the origin of the proxy before it, by which others know it."""
        self._url, self._session, self._token = url, session, ""
        self.own_origin, self.origin = url, seen_at or url
        self.issuer = f"{self.origin}/realms/corp"

    async def set_up(self, redirect_uri: str, audience: str) -> None:
        """The realm `corp`, made once more as its page in docs/ has it. Ann is in the group eng.

        Beside the page's clients there is `agent-of-another`, whose tokens are for another audience, and
        `agent-of-all`, whose tokens are for the audience and for Keycloak's own `account`.
        """
        for _ in range(60):  # it listens before it answers
            async with self._session.get(f"{self._url}/realms/master") as answer:
                if answer.status == 200:
                    break
            await asyncio.sleep(1.0)
        self._token = (await self.tokens("master", "admin-cli", username="admin", password="admin"))["access_token"]
        if any(realm["realm"] == "corp" for realm in await self._admin("GET", "")):
            await self._admin("DELETE", "/corp")
        await self._admin("POST", "", {
            "realm": "corp", "enabled": True, "sslRequired": "none", "attributes": {"frontendUrl": self.origin},
        })  # fmt: skip
        await self._admin("POST", "/corp/groups", {"name": "eng"})
        await self._admin("POST", "/corp/users", {
            "username": "ann", "email": "ann@corp.test", "emailVerified": True, "firstName": "Ann",
            "lastName": "Archer", "enabled": True, "groups": ["eng"],
            "credentials": [{"type": "password", "value": PASSWORD, "temporary": False}],
        })  # fmt: skip
        groups = _mapper("groups", "oidc-group-membership-mapper", {"claim.name": "groups", "full.path": "false"})
        await self._admin("POST", "/corp/clients", {
            "clientId": CLIENT_ID, "secret": CLIENT_SECRET, "enabled": True, "redirectUris": [redirect_uri],
            "standardFlowEnabled": True, "attributes": {"pkce.code.challenge.method": "S256"},
            "protocolMappers": [groups],
        })  # fmt: skip
        for_archway = ["basic", "email", "profile"]
        await self._agent("agent", audience, for_archway)
        await self._agent("agent-of-another", f"{audience}-2", for_archway)
        await self._agent("agent-of-all", audience, [*for_archway, "roles"])

    async def _agent(self, name: str, audience: str, scopes: list[str]) -> None:
        """A program that calls with tokens for this audience."""
        reaching = _mapper("audience", "oidc-audience-mapper", {"included.custom.audience": audience})
        await self._admin("POST", "/corp/clients", {
            "clientId": name, "publicClient": True, "enabled": True, "directAccessGrantsEnabled": True,
            "fullScopeAllowed": "roles" in scopes, "defaultClientScopes": scopes, "protocolMappers": [reaching],
        })  # fmt: skip

    async def tokens(self, realm: str, client: str, **more: str) -> dict[str, Any]:
        """Tokens for a name and a password, as the client `agent` gets them."""
        form = {"grant_type": "password", "client_id": client, **more}
        where = self._url if realm == "master" else self.origin
        url = f"{where}/realms/{realm}/protocol/openid-connect/token"
        async with self._session.post(url, data=form) as answer:
            assert answer.status == 200, await answer.text()
            return dict(await answer.json())

    async def rotate(self) -> None:
        """Another key signs from now on; the ones before stay published."""
        await self._admin("POST", "/corp/components", {
            "name": "another", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
            "config": {"priority": ["1000"], "enabled": ["true"], "active": ["true"]},
        })  # fmt: skip

    async def also_for(self, another: str) -> None:
        """From now on what it says at Archway's sign-in is for another client too."""
        (archway,) = await self._admin("GET", f"/corp/clients?clientId={CLIENT_ID}")
        mapper = _mapper("also", "oidc-audience-mapper", {"included.custom.audience": another})
        await self._admin("POST", f"/corp/clients/{archway['id']}/protocol-mappers/models", mapper)

    async def disable_ann(self) -> None:
        """Ann is shut out in the realm."""
        (ann,) = await self._admin("GET", "/corp/users?username=ann")
        await self._admin("PUT", f"/corp/users/{ann['id']}", {**ann, "enabled": False})

    async def sign_in(self, browser: aiohttp.ClientSession, address: str) -> str:
        """Ann signs in at the form that the address shows; where the browser is sent back to."""
        async with browser.get(address) as page:
            text = await page.text()
            found = re.search(r'<form[^>]*action="([^"]+)"', text)
            assert found is not None, text[:500]
            action = urljoin(str(page.url), unescape(found[1]))
        form = {"username": "ann", "password": PASSWORD}
        async with browser.post(action, data=form, allow_redirects=False) as answer:
            assert answer.status in {302, 303}, await answer.text()
            return answer.headers["Location"]

    async def _admin(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        url = f"{self._url}/admin/realms{path}"
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            assert answer.status < 300, (path, await answer.text())
            return await answer.json() if answer.content_type == "application/json" else None


def _mapper(name: str, kind: str, config: dict[str, str]) -> dict[str, Any]:
    told = {"id.token.claim": "true", "access.token.claim": "true", "userinfo.token.claim": "true", **config}
    return {"name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": told}
