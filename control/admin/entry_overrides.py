"""`/entries/{entry_id}/override`: what would run of an entry with other words over its Deployment. Nothing is kept.

What is kept is `run.override` of the entry itself (`entries.py`).
"""

from pydantic import Field as Bound

from control.admin.api import Asked, Operations
from control.admin.run_models import Override
from control.changes import overrides
from control.changes.visible import managed_entry
from control.http.models import Id, Model
from control.store import entries
from control.store.pool import transaction

operations = Operations("entry overrides")


class OverrideText(Model):
    """YAML over the Deployment of an entry's server."""

    override: Override | None = Bound(None, description="Null: what the entry says now.")


class OverrideFault(Model):
    """One thing in an override that is refused: where it stands in the text, and why."""

    path: str = Bound(description="Such as `spec.template.spec.hostNetwork`; empty for the whole text.")
    sentence: str = Bound(description="What is wrong, to be read behind the path.")
    line: int | None = Bound(description="Of the text, from 1; null where no single line is at fault.")


class OverridePreview(Model):
    """What would run, for an installation with a word in the place of each answer and secret."""

    deployment: str = Bound(description="The Deployment as YAML; without the override where that is refused.")
    differences: str = Bound(description="From the Deployment without an override, as a unified diff.")
    refused: list[OverrideFault]


@operations.post("/entries/{entry_id}/override/preview", status=200)
async def preview_override(asked: Asked, entry_id: Id, body: OverrideText) -> OverridePreview:
    """Show what an override makes of the Deployment of an entry's server, and all that is refused of it."""
    async with transaction(asked.pool, readonly=True) as connection:
        entry = managed_entry(await entries.one(connection, entry_id), asked.caller, "entry:override")
        found = await overrides.previewed(connection, asked.deps.safeguards, entry, body.override)
    refused = [OverrideFault(path=one.path, sentence=one.sentence, line=one.line) for one in found.faults]
    return OverridePreview(deployment=found.merged, differences=found.differences, refused=refused)
