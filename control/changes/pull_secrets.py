"""Changes of image pull secrets: credentials of registries, and names of secrets that somebody else keeps in the
cluster. Proxies hold nothing of them. What runs with one is looked at again after each change.
"""

from collections.abc import Mapping
from typing import Any

from control.changes.refusals import NotAllowed, NotNow, refuse_stale
from control.changes.safeguards import Safeguards
from control.changes.visible import visible_pull_secret
from control.changes.write import Write
from control.registry.actions import Action, lacking
from control.registry.broken_rule import BrokenRule
from control.registry.entry import Entry, WantedEntry
from control.registry.pull_secret import (
    KeptPullSecret,
    NewPullSecret,
    WantedPullSecret,
    check_pull_secret,
    pull_secret_fields,
    pull_secret_with,
    told_of_pull_secret,
)
from control.registry.self_hosted import SelfHosted
from control.store import pull_secrets
from control.store.writes import pull_secrets as rows
from core.identifiers import new_id


async def create(write: Write, safeguards: Safeguards, wanted: WantedPullSecret) -> KeptPullSecret:
    """Keep one. BrokenRule; NotAllowed; StoreConflict `pull_secrets_name` or `pull_secrets_team_id_fkey`.

    One that the cluster has is named by those alone who do so for the organisation: its label says that servers here
    may use it, and not which team may.
    """
    if not write.actor.may_for("pull_secret:create", wanted.owner):
        raise NotAllowed(lacking("pull_secret:create"))
    if wanted.kind == "cluster" and not write.actor.may("pull_secret:create"):
        raise NotAllowed(f"A secret that the cluster has: {lacking('pull_secret:create')}")
    pull_secret_id = new_id()
    new = _sealed(safeguards, pull_secret_id, check_pull_secret(wanted), None, write.actor.user_id or None)
    made = await rows.insert(write, pull_secret_id, new)
    await write.announce()
    await write.record("create", "pull_secret", made.id, None, told_of_pull_secret(made))
    return made


async def change(
    write: Write,
    safeguards: Safeguards,
    pull_secret_id: str,
    wanted: Mapping[str, Any],
    version: int | None = None,
) -> KeptPullSecret:
    """Give it what `wanted` names. Raises as `create`. A team's becomes the organisation's where whoever may change
    those says so.
    """
    before = await _locked(write, pull_secret_id, "pull_secret:update", version)
    asked = check_pull_secret(pull_secret_with(before, wanted), before)
    if not write.actor.may_for("pull_secret:update", asked.owner):
        raise NotAllowed(lacking("pull_secret:update"))
    if asked.team_id != before.team_id:
        await _refuse_in_use(write, pull_secret_id)
    after = await rows.update(
        write, pull_secret_id, _sealed(safeguards, pull_secret_id, asked, before, before.created_by)
    )
    await write.announce()
    await write.record(
        "update", "pull_secret", pull_secret_id, told_of_pull_secret(before),
        {**told_of_pull_secret(after), "password_given": asked.password is not None},
    )  # fmt: skip
    return after


async def delete(write: Write, pull_secret_id: str, version: int | None = None) -> None:
    """Delete one that no entry names; NotNow for another."""
    before = await _locked(write, pull_secret_id, "pull_secret:delete", version)
    await _refuse_in_use(write, pull_secret_id)
    await rows.delete(write, pull_secret_id)
    await write.announce()
    await write.record("delete", "pull_secret", pull_secret_id, told_of_pull_secret(before), None)


async def check_named(write: Write, wanted: WantedEntry, before: Entry | None) -> None:
    """BrokenRule where an entry would name a pull secret that the actor may not see, unless it does so already, or
    one of another team: those who install the entry would pull with what that team keeps for itself.
    """
    if not isinstance(wanted.reached, SelfHosted):
        return
    named = wanted.reached.pull_secrets
    stay = before.reached.pull_secrets if before and isinstance(before.reached, SelfHosted) else ()
    kept = await pull_secrets.many(write.connection, named)
    for number, one in enumerate(named):
        where, found = f"run.pull_secrets[{number}]", kept.get(one)
        if found is None or (one not in stay and not write.actor.may_for("pull_secret:read", found.owner)):
            raise BrokenRule(where, "is not the id of a pull secret that you may see; list /pull-secrets")
        if found.team_id not in {None, wanted.team_id}:
            raise BrokenRule(where, f"{found.name!r} belongs to a team: only an entry of that team may name it")


async def _refuse_in_use(write: Write, pull_secret_id: str) -> None:
    used = await pull_secrets.entries_using(write.connection, pull_secret_id)
    if used:
        raise NotNow(f"The pull secret is in use by the entries {', '.join(used)}. Take it out of them first.")


async def _locked(write: Write, pull_secret_id: str, action: Action, version: int | None) -> KeptPullSecret:
    found = visible_pull_secret(await pull_secrets.one(write.connection, pull_secret_id, lock=True), write.actor)
    if not write.actor.may_for(action, found.owner):
        raise NotAllowed(lacking(action))
    refuse_stale(version, found.version)
    return found


def _sealed(
    safeguards: Safeguards,
    pull_secret_id: str,
    checked: WantedPullSecret,
    before: KeptPullSecret | None,
    created_by: str | None,
) -> NewPullSecret:
    password = before.password if before else None
    if checked.password is not None:
        password = safeguards.seals.pull_password(
            pull_secret_id, checked.registry, checked.username, checked.password
        )
    return NewPullSecret(**pull_secret_fields(checked), password=password, created_by=created_by)
