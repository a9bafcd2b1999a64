"""A real identity provider, and the authorization server of a server, for the tests of exchanges."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from control.registry.credential import TokenExchange
from control.store.pool import Pool
from tests.fakes.exchanging import Exchanging, exchanging
from tests.fakes.identity_provider import IdentityProvider
from tests.fixtures_idp import idp, idp_issuer, upstream_idp, upstream_issuer

__all__ = ["idp", "idp_issuer", "upstream_idp", "upstream_issuer"]


@pytest.fixture
async def rig(pool: Pool, idp: IdentityProvider) -> AsyncIterator[Exchanging]:
    """With an entry for whose server the provider exchanges."""
    async with exchanging(pool, idp) as made:
        await made.entry(TokenExchange(made.provider.id, audience="crm", scopes=("read",)))
        yield made
