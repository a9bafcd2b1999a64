"""The page about Keycloak is followed to its end, on one `archway up`: then a person signs in, and a token calls.

So what is tried is all of it together: the pages behind a proxy, and a proxy that checks Keycloak's tokens by itself.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from archway.admin_client import AdminApi
from tests.docs.conftest import Deployment
from tests.docs.page_blocks import Block, blocks_of
from tests.docs.page_shell import ROOT, PageShell, Place, workplace
from tests.fakes.keycloak import CLIENT_SECRET, PASSWORD, Keycloak

pytestmark = pytest.mark.timeout(900)
PAGE = "docs/administering/identity-providers/keycloak.md"


def blocks() -> list[Block]:
    """The page's blocks, which say that they are run here."""
    found = [block for block in blocks_of((ROOT / PAGE).read_text()) if "`make keycloak` runs it" in block.what]
    return [replace(block, does="run", what="") for block in found]


@pytest.fixture
async def keycloak(keycloak_url: str, deployment: Deployment) -> Any:
    here = deployment.file["proxy_url"]
    async with aiohttp.ClientSession() as session:
        made = Keycloak(keycloak_url, session)
        await made.set_up(f"{here}/sign-in/oidc/keycloak/callback", f"{here}/v1/mcp/sales")
        yield made


@pytest.fixture
def followed(keycloak: Keycloak, deployment: Deployment, tmp_path: Path) -> AdminApi:
    """The page was followed; the admin API of the deployment."""
    folder, environment = workplace(tmp_path, ARCHWAY_STATE=str(deployment.state))
    words = {
        "https://keycloak.example.com": keycloak.origin, "https://tools.example.com": deployment.file["proxy_url"],
        "CLIENT_SECRET=...": f"CLIENT_SECRET={CLIENT_SECRET}", "ann@example.com": "ann@corp.test",
        "--domain example.com": "--domain corp.test",
    }  # fmt: skip
    with PageShell(Place(folder, environment, dict(deployment.ports), words)) as shell:
        for block in blocks():
            shell.do(block)
    return AdminApi(deployment.file["control_url"], deployment.file["admin_token"])


async def test_who_follows_the_page_can_sign_in_with_keycloak_and_call_with_its_tokens(
    followed: AdminApi, keycloak: Keycloak, deployment: Deployment
) -> None:
    assert len(blocks()) == 4
    here = deployment.file["proxy_url"]
    (provider,) = followed.pages("/identity-providers")
    assert provider["warnings"] == []
    jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=[URL(here), URL(keycloak.origin)])
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        async with browser.get(f"{here}/sign-in/oidc/keycloak?return_to=/my/access", allow_redirects=False) as off:
            assert off.status == 303, await off.text()
        back = await keycloak.sign_in(browser, off.headers["Location"])
        async with browser.get(back) as page:
            assert (page.status, page.url.path) == (200, "/my/access"), await page.text()
            assert "Engineering" in await page.text()
        tokens = await keycloak.tokens("corp", "agent", username="ann", password=PASSWORD, scope="openid")
        for token, status in ((tokens["access_token"], 200), (tokens["id_token"], 401)):
            async with browser.post(
                f"{here}/v1/mcp/sales", json=_LIST, headers={**_MODERN, "Authorization": f"Bearer {token}"}
            ) as answer:
                assert answer.status == status, await answer.text()
    (known,) = followed.pages(f"/identity-providers/{provider['id']}/people")
    assert (known["user_email"], known["gone_at"]) == ("ann@corp.test", None)


_MODERN = {
    "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list",
}  # fmt: skip
_LIST = {
    "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {},
    }},
}  # fmt: skip
