"""`/pull-secrets`: credentials of image registries, for servers that Archway runs.

Written by `control/changes/pull_secrets.py`. No password is ever told.
"""

from control.admin.api import Asked, Operations
from control.admin.pull_secret_models import NewPullSecret, PullSecretChange, PullSecretQuery, PullSecretView
from control.admin.resource import shown
from control.changes import pull_secrets as changes
from control.changes.visible import visible_pull_secret
from control.http.models import Id
from control.http.paging import Page, page_of, place_key
from control.registry.pull_secret import KeptPullSecret, WantedPullSecret, told_of_pull_secret
from control.store import pull_secrets
from control.store.pool import transaction

operations = Operations("pull-secrets")


@operations.get("/pull-secrets")
async def list_pull_secrets(asked: Asked, query: PullSecretQuery) -> Page[PullSecretView]:
    """List the pull secrets that the caller may see, by name."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = await pull_secrets.page(
            connection,
            limit=query.fetch,
            after=query.place,
            everything=asked.caller.may("pull_secret:read"),
            teams=asked.caller.teams_with("pull_secret:read"),
            name=query.name,
        )
    return page_of(found, query, _view, lambda one: place_key(one.name, one.id))


@operations.post("/pull-secrets")
async def create_pull_secret(asked: Asked, body: NewPullSecret) -> PullSecretView:
    """Keep a credential of an image registry, or name a secret that the cluster has."""
    async with asked.changing() as write:
        made = await changes.create(write, asked.deps.safeguards, WantedPullSecret(**body.model_dump()))
    return _view(made)


@operations.get("/pull-secrets/{pull_secret_id}")
async def read_pull_secret(asked: Asked, pull_secret_id: Id) -> PullSecretView:
    """Show a pull secret, never its password."""
    async with transaction(asked.pool, readonly=True) as connection:
        return _view(visible_pull_secret(await pull_secrets.one(connection, pull_secret_id), asked.caller))


@operations.patch("/pull-secrets/{pull_secret_id}")
async def change_pull_secret(asked: Asked, pull_secret_id: Id, body: PullSecretChange) -> PullSecretView:
    """Change a pull secret. What runs with it gets the new one; nothing is restarted for it."""
    async with asked.changing() as write:
        return _view(
            await changes.change(write, asked.deps.safeguards, pull_secret_id, body.changes(), asked.version)
        )


@operations.delete("/pull-secrets/{pull_secret_id}")
async def delete_pull_secret(asked: Asked, pull_secret_id: Id) -> None:
    """Delete a pull secret that no entry names."""
    async with asked.changing() as write:
        await changes.delete(write, pull_secret_id, asked.version)


def _view(found: KeptPullSecret) -> PullSecretView:
    return shown(PullSecretView, told_of_pull_secret(found))
