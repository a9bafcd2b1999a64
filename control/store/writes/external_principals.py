"""SQL that writes who calls without an account here. Called by `control/changes/external_principals.py`."""

from typing import Final

from control.registry.external_principal import MOST_OF_A_PROVIDER, ExternalPrincipal
from control.store.external_principals import COLUMNS
from control.store.rows import made
from control.store.statements import listed
from control.store.writing import Writing
from core.identifiers import new_id

_RETURNING: Final = f" returning {listed(COLUMNS)}"
# The rows of the provider are counted only for somebody who has none.
_SEEN: Final = f"""
    insert into external_principals (id, provider_id, issuer, subject, name)
    select $1::uuid, $2::uuid, $3, $4, $5
    where exists (select from external_principals where issuer = $3 and subject = $4)
       or (select count(*) from (
               select from external_principals where provider_id = $2 limit {MOST_OF_A_PROVIDER}) as those
          ) < {MOST_OF_A_PROVIDER}
    on conflict (issuer, subject) do update
        set last_seen_at = now(), name = excluded.name, provider_id = excluded.provider_id
    {_RETURNING}
"""


async def seen(writing: Writing, provider_id: str, issuer: str, subject: str, name: str) -> ExternalPrincipal | None:
    """Somebody called just now; their row is made at their first call. None where the provider has as many as are
    kept (a few more where several come at once), and they are none of them.
    """
    row = await writing.fetch_row(_SEEN, new_id(), provider_id, issuer, subject, name)
    return None if row is None else made(ExternalPrincipal, row)


async def set_disabled(writing: Writing, external_id: str, *, disabled: bool) -> ExternalPrincipal:
    """Shut out, or let in again."""
    row = await writing.fetch_row(
        """update external_principals set version = version + 1,
               disabled_at = case when $2 then coalesce(disabled_at, now()) end
           where id = $1"""
        + _RETURNING,
        external_id, disabled,
    )  # fmt: skip
    return made(ExternalPrincipal, row)
