"""SQL that writes grants, with the code of a new one. Called by `control/changes/oauth_grants.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from control.registry.oauth_grant import LIFE, RevokedFor
from control.registry.oauth_scopes import OFFLINE
from control.store.writing import Writing
from core.identifiers import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGrant:
    """A grant to make; without a person for a client that acts by itself."""

    client_pk: str
    user_id: str | None
    gateway_id: str
    scopes: tuple[str, ...]
    redirect_host: str = ""
    identity_id: str | None = None
    """As whom an identity provider knows the person, where it vouches for them by an assertion."""


async def insert(writing: Writing, grant: NewGrant, *, redeemed: bool = False) -> str:
    """The identifier of a new grant; StoreConflict `oauth_grants_by_itself`, `oauth_grants_by_assertion`, or where
    something of it is gone.
    """
    grant_id = new_id()
    await writing.execute(
        """insert into oauth_grants
               (id, client_id, user_id, gateway_id, scopes, redirect_host, expires_at, redeemed_at, identity_id,
                by_assertion)
           values ($1, $2, $3, $4, $5, $6, now() + $7::interval, case when $8 then now() end, $9::uuid,
                   $9::uuid is not null)""",
        grant_id, grant.client_pk, grant.user_id, grant.gateway_id, list(grant.scopes), grant.redirect_host,
        LIFE, redeemed, grant.identity_id,
    )  # fmt: skip
    return grant_id


async def insert_code(
    writing: Writing, digest: str, grant_id: str, *, redirect_uri: str, challenge: str, life: timedelta
) -> None:
    """The code that redeems a grant."""
    await writing.execute(
        """insert into oauth_codes (digest, grant_id, redirect_uri, challenge, expires_at)
           values ($1, $2, $3, $4, now() + $5::interval)""",
        digest, grant_id, redirect_uri, challenge, life,
    )  # fmt: skip


async def revoke(writing: Writing, grant_ids: Sequence[str], why: RevokedFor) -> None:
    """These grants end now; their refresh tokens and codes go with them."""
    ids = list(grant_ids)
    await writing.execute(
        "update oauth_grants set revoked_at = now(), revoked_for = $2 where id = any($1::uuid[]) "
        "and revoked_at is null",
        ids, why,
    )  # fmt: skip
    await writing.execute("delete from oauth_refresh_tokens where grant_id = any($1::uuid[])", ids)


async def remember_consent(writing: Writing, grant: NewGrant) -> None:
    """The person need not be asked the same again. That a client refreshes is a part of what they agree to."""
    await writing.execute(
        """insert into oauth_consents (user_id, client_id, redirect_host, gateway_id, scopes)
           select $1, id, $3, $4, case when refreshes then array_append($5::text[], $6) else $5 end
           from oauth_clients where id = $2
           on conflict (user_id, client_id, redirect_host, gateway_id) do update
           set scopes = excluded.scopes, at = now()""",
        grant.user_id, grant.client_pk, grant.redirect_host, grant.gateway_id, list(grant.scopes), OFFLINE,
    )  # fmt: skip


async def forget_consents(writing: Writing, user_id: str, client_pk: str) -> None:
    """The person is asked again by this client."""
    await writing.execute("delete from oauth_consents where user_id = $1 and client_id = $2", user_id, client_pk)
