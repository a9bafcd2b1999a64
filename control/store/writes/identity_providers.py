"""SQL that writes identity providers and what was seen of them. Called by `control/changes/`, which locks the row."""

from collections.abc import Sequence
from typing import Final

import msgspec

from control.registry.identity_provider import Endpoints, IdentityProvider, ProviderFields
from control.store.identity_providers import COLUMNS
from control.store.rows import columns_of, made, values_of
from control.store.statements import insert_into, listed, update_of
from control.store.writing import Writing
from core.key_sets import PublicKey

_SET: Final = columns_of(ProviderFields)
_RETURNING: Final = f" returning {listed(COLUMNS)}"
_SEALED: Final = ("client_secret", "exchange_client_secret")
_INSERT: Final = insert_into("identity_providers", (*_SET, *_SEALED)) + _RETURNING
_UPDATE: Final = update_of("identity_providers", (*_SET, *_SEALED)) + _RETURNING


async def insert(
    writing: Writing, provider_id: str, wanted: ProviderFields, secret: bytes | None, exchange_secret: bytes | None
) -> IdentityProvider:
    """A new provider; StoreConflict `identity_providers_slug` or `identity_providers_issuer`."""
    row = await writing.fetch_row(_INSERT, provider_id, *values_of(wanted, _SET), secret, exchange_secret)
    return made(IdentityProvider, row)


async def update(
    writing: Writing, provider_id: str, wanted: ProviderFields, secret: bytes | None, exchange_secret: bytes | None
) -> IdentityProvider:
    """All that a person may set, the sealed secrets too; StoreConflict as `insert`."""
    row = await writing.fetch_row(_UPDATE, provider_id, *values_of(wanted, _SET), secret, exchange_secret)
    return made(IdentityProvider, row)


async def delete(writing: Writing, provider_id: str) -> None:
    """The provider goes, with who people were there, and what was seen of it."""
    await writing.execute("delete from identity_providers where id = $1", provider_id)


async def forget_state(writing: Writing, provider_id: str) -> None:
    """What was seen of another issuer is no truth about this one; the revision goes on rising."""
    await writing.execute(
        """update identity_provider_states set endpoints = null, discovered_at = null, keys = '[]', skipped = '{}',
               fetched_at = null, tried_at = null, fault = '', revision = revision + 1
           where provider_id = $1""",
        provider_id,
    )


async def claim_try(writing: Writing, provider_id: str, cool_down_s: float) -> bool:
    """Whether whoever asks may ask the provider now: nobody has for so long, in any replica."""
    row = await writing.fetch_row(
        """insert into identity_provider_states as s (provider_id, tried_at) values ($1, now())
           on conflict (provider_id) do update set tried_at = now()
           where s.tried_at is null or s.tried_at <= now() - make_interval(secs => $2) returning provider_id""",
        provider_id, cool_down_s,
    )  # fmt: skip
    return row is not None


async def set_endpoints(writing: Writing, provider_id: str, endpoints: Endpoints) -> None:
    """What the provider says of itself now."""
    await writing.execute(
        """update identity_provider_states set endpoints = $2, discovered_at = now(), fault = ''
           where provider_id = $1""",
        provider_id, msgspec.to_builtins(endpoints),
    )  # fmt: skip


async def set_keys(
    writing: Writing, provider_id: str, keys: Sequence[PublicKey], skipped: Sequence[str], *, changed: bool
) -> None:
    """The keys that the provider has now."""
    await writing.execute(
        """update identity_provider_states set keys = $2, skipped = $3, fetched_at = now(), fault = '',
               revision = revision + $4::int where provider_id = $1""",
        provider_id, [key.jwk for key in keys], list(skipped), int(changed),
    )  # fmt: skip


async def set_fault(writing: Writing, provider_id: str, fault: str) -> None:
    """Why the provider could not be asked; what was seen of it before stays."""
    await writing.execute(
        "update identity_provider_states set fault = $2 where provider_id = $1", provider_id, fault[:500]
    )
