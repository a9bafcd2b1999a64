"""Changes of who calls without an account here: a row at their first call, and an admin's word that shuts one out."""

from control.changes.refusals import NotThere
from control.changes.write import Write
from control.registry.external_principal import ExternalPrincipal, told_of_external
from control.registry.identity import ProvidedPerson
from control.registry.identity_provider import IdentityProvider
from control.store import external_principals
from control.store.writes import external_principals as rows


async def seen(write: Write, provider: IdentityProvider, person: ProvidedPerson) -> ExternalPrincipal | None:
    """Somebody calls whom the provider knows and who is no user here. None: it has as many already as are kept."""
    found = await rows.seen(write, provider.id, person.issuer, person.subject, person.name)
    await write.announce()
    write.observed()
    return found


async def set_disabled(write: Write, external_id: str, *, disabled: bool) -> ExternalPrincipal:
    """Shut somebody out, with the calls that they have running; or let them in again."""
    before = await external_principals.one(write.connection, external_id, lock=True)
    if before is None:
        raise NotThere("external principal")
    if (before.disabled_at is not None) == disabled:
        return before
    after = await rows.set_disabled(write, external_id, disabled=disabled)
    await write.announce(externals=[external_id])
    await write.record(
        "disable" if disabled else "enable",
        "external_principal",
        external_id,
        told_of_external(before),
        told_of_external(after),
    )
    return after
