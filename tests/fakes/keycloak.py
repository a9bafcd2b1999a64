"""Keycloak on loopback, with a realm for the tests, and a person who signs in at its form. Needs `make keycloak`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from archway.up.ports import free_port
from tests.fakes.keycloak_admin import KeycloakAdmin, filled_in, mapper, person

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
        "--features=identity-assertion-jwt",
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
        self._session, self._admin = session, KeycloakAdmin(url, session)
        self.own_origin, self.origin = url, seen_at or url
        self.issuer = f"{self.origin}/realms/corp"

    async def set_up(self, redirect_uri: str, audience: str) -> None:
        """The realm `corp`, made once more as its page in docs/ has it. Ann is in the group eng.

        Beside the page's clients there is `agent-of-another`, whose tokens are for another audience, and
        `agent-of-all`, whose tokens are for the audience and for Keycloak's own `account`.
        """
        await self._admin.answers()
        await self._admin.new_realm("corp", attributes={"frontendUrl": self.origin})
        await self._admin.ask("POST", "/corp/groups", {"name": "eng"})
        await self._admin.ask("POST", "/corp/users", person("Ann", PASSWORD, groups=["eng"]))
        groups = mapper("groups", "oidc-group-membership-mapper", {"claim.name": "groups", "full.path": "false"})
        await self._admin.ask("POST", "/corp/clients", {
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
        reaching = mapper("audience", "oidc-audience-mapper", {"included.custom.audience": audience})
        await self._admin.ask("POST", "/corp/clients", {
            "clientId": name, "publicClient": True, "enabled": True, "directAccessGrantsEnabled": True,
            "fullScopeAllowed": "roles" in scopes, "defaultClientScopes": scopes, "protocolMappers": [reaching],
        })  # fmt: skip

    async def tokens(self, realm: str, client: str, **more: str) -> dict[str, Any]:
        """Tokens for a name and a password, as the client `agent` gets them."""
        form = {"grant_type": "password", "client_id": client, **more}
        url = f"{self.origin}/realms/{realm}/protocol/openid-connect/token"
        async with self._session.post(url, data=form) as answer:
            assert answer.status == 200, await answer.text()
            return dict(await answer.json())

    async def rotate(self) -> None:
        """Another key signs from now on; the ones before stay published."""
        await self._admin.ask("POST", "/corp/components", {
            "name": "another", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
            "config": {"priority": ["1000"], "enabled": ["true"], "active": ["true"]},
        })  # fmt: skip

    async def also_for(self, another: str) -> None:
        """From now on what it says at Archway's sign-in is for another client too."""
        (archway,) = await self._admin.ask("GET", f"/corp/clients?clientId={CLIENT_ID}")
        also = mapper("also", "oidc-audience-mapper", {"included.custom.audience": another})
        await self._admin.ask("POST", f"/corp/clients/{archway['id']}/protocol-mappers/models", also)

    async def disable_ann(self) -> None:
        """Ann is shut out in the realm."""
        (ann,) = await self._admin.ask("GET", "/corp/users?username=ann")
        await self._admin.ask("PUT", f"/corp/users/{ann['id']}", {**ann, "enabled": False})

    async def sign_in(self, browser: aiohttp.ClientSession, address: str) -> str:
        """Ann signs in at the form that the address shows; where the browser is sent back to."""
        return await filled_in(browser, address, username="ann", password=PASSWORD)
