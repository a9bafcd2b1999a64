"""SQL that says what rests on an identity provider, for what its admin is told.

The sentences are in `control/registry/provider_warnings.py`.
"""

from control.registry.identity_provider import IdentityProvider
from control.registry.provider_warnings import InUse
from control.store import external_principals, identity_providers
from control.store.pool import Connection


async def of_provider(connection: Connection, provider: IdentityProvider) -> InUse:
    """What rests on it now."""
    accounts = await connection.fetch(
        """select id, disabled_at is null as is_in from oauth_clients
           where acts = 'by_itself' and id = any($1::uuid[])""",
        [rule.oauth_client_id for rule in provider.service_rules],
    )
    return InUse(
        externals=await external_principals.count(connection, provider.id),
        entries=tuple((await identity_providers.entries_of(connection, provider.id)).values()),
        accounts={row["id"]: row["is_in"] for row in accounts},
    )
