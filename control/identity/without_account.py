"""Who bears a provider's own token and is no user here, where the provider admits such people.

Called by `callers.py` for somebody who is not known here and whom nothing finds. What their claims give is a place in
teams, for this call; a role gives nothing, since there is no user who could have it.
"""

import logging

from control.changes import external_principals as changes
from control.changes.write import Write
from control.identity.claims import client_and_scopes
from control.identity.jobs import LONGEST_SAID
from control.registry.external_principal import principal_of_external
from control.registry.identity import ProvidedPerson
from control.registry.identity_provider import IdentityProvider
from control.store import identities
from core.jwt import VerifiedClaims
from core.resolve import CallerVerdict

log = logging.getLogger(__name__)
TOO_MANY = (
    "The provider has as many people without an account here as are kept; those who have not called for long are "
    "forgotten by and by. If all of them are wanted, give people accounts (`create_people`)."
)


async def verdict_without_account(
    write: Write, provider: IdentityProvider, person: ProvidedPerson, digest: str, claims: VerifiedClaims
) -> CallerVerdict | None:
    """Their row, and the verdict; None for whoever has the address of a user here, be it proven or not: they are that
    user, who may have been shut out, or want to look like them.
    """
    if person.email and await identities.user_with_email(write.connection, person.email) is not None:
        return None
    found = await changes.seen(write, provider, person)
    if found is None:
        log.warning("somebody without an account is refused", extra={"provider": provider.slug, "cure": TOO_MANY})
        return CallerVerdict(digest, refusal="unknown", auth="jwt")
    if found.disabled_at is not None:
        named = person.subject if len(person.subject) <= LONGEST_SAID else found.id
        return CallerVerdict(
            digest, credential_id=found.id, refusal="disabled", auth="jwt", why="external_shut_out", said=named
        )
    client, scopes = client_and_scopes(claims)
    return CallerVerdict(
        digest,
        principal_of_external(found, person.teams or ()),
        found.id,
        float(claims["exp"]),
        auth="jwt",
        client=client,
        scopes=scopes,
    )
