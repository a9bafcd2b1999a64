"""A provider whose tokens a gateway takes, and what control says of them to a proxy: shared by tests of such callers.

With a real OpenID provider (npm `oidc-provider`), which signs what a test wants said, over the internal listener.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from control.changes import gateways, users
from control.changes import identity_providers as changes
from control.changes.safeguards import Safeguards
from control.changes.write import changing
from control.registry.identity_provider import IdentityProvider
from control.registry.row_seals import RowSeals
from control.registry.user import NewUser
from control.store.pool import Pool, transaction
from core.resolve import CallerQuestion, CallerVerdict, InstallationAnswer, InstallationQuestion, JwtProof
from tests.control import seeded
from tests.control.asking_proxy import LOOPBACK, SECRETS, AskingProxy
from tests.fakes.identity_provider import IdentityProvider as Idp
from tests.fakes.providers import provider_fields
from tests.fakes.registry import gateway_fields

SAFEGUARDS = Safeguards(RowSeals(SECRETS), LOOPBACK)
WORK, OTHER = "https://tools.test/v1/mcp/work", "https://tools.test/v1/mcp/other"


@dataclass
class Corp:
    """A provider whose tokens the gateway `work` takes, and Ann, whom it knows."""

    idp: Idp
    pool: Pool
    proxy: AskingProxy
    provider: IdentityProvider
    ann: str
    gateway: str
    assignment: str

    async def verdict(self, token: str) -> CallerVerdict:
        answer: CallerVerdict = await self.proxy.ask_again(
            "/internal/token", CallerQuestion.of(JwtProof.of(token)), CallerVerdict
        )
        return answer

    async def says(self, **claims: Any) -> CallerVerdict:
        """The verdict on a token with these claims over the usual ones."""
        return await self.verdict(await self.token(**claims))

    async def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        usual = {"sub": "ann", "aud": WORK, "email": "ann@corp.test", "email_verified": True}
        return await self.idp.token({**usual, **claims}, **(header or {}))

    async def change(self, **fields: Any) -> None:
        async with changing(self.pool, seeded.SEEDER) as write:
            self.provider = await changes.change(
                write, self.provider.id, lambda now: replace(now, **fields), None, SAFEGUARDS
            )

    async def installation(self, token: str, gateway: str = "") -> InstallationAnswer:
        question = InstallationQuestion.of(JwtProof.of(token), gateway or self.gateway, self.assignment)
        answer: InstallationAnswer = await self.proxy.ask_again("/internal/connection", question, InstallationAnswer)
        return answer


@pytest.fixture
async def corp_callers(idp: Idp, pool: Pool, proxy: AskingProxy) -> Corp:
    async with changing(pool, seeded.SEEDER) as write:
        ann = await users.create(write, NewUser(name="Ann", email="ann@corp.test", role="member"))
        wanted = provider_fields(issuer=idp.issuer, audiences=(WORK, OTHER))
        provider = await changes.create(write, wanted, "secret", SAFEGUARDS)
        naming = gateway_fields(identity_provider_id=provider.id, identity_provider_audience=WORK)
        gateway = await gateways.create(write, naming)
    async with transaction(pool) as conn:
        entry = await seeded.entry(conn)
        installation = await seeded.installation(conn, entry)
        assignment = await seeded.assignment(
            conn, gateway.id, await seeded.tool(conn, entry), installation=installation
        )
    return Corp(idp, pool, proxy, provider, ann.id, gateway.id, assignment)
