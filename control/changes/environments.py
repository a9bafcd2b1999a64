"""Changes of environments, and who may put an entry into one or take it out. Proxies hold nothing of them but what
the servers that run elsewhere are held to; those that run here are looked at again after each change.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from control.changes.enforceable_egress import check_enforceable
from control.changes.held_entries import held_now
from control.changes.refusals import NotNow, NotThere, refuse_stale
from control.changes.safeguards import Safeguards
from control.changes.visible import seen_entries
from control.changes.write import Write
from control.registry.actions import Action
from control.registry.broken_rule import BrokenRule
from control.registry.credential import Credential, StaticCredential, WithAccount
from control.registry.entry import Entry, EntryFields, NewEntry, WantedEntry
from control.registry.environment import Environment, NewEnvironment, told_of_environment
from control.registry.environment_rules import check_environment
from control.registry.fields import Field
from control.registry.image_sources import check_from
from control.registry.override_fence import leads_to_nodes
from control.registry.owner import Organisation
from control.registry.self_hosted import SelfHosted
from control.store import enforcement, entries, environments, gateway_environments
from control.store.writes import environments as rows

DEPLOY: Final[Action] = "environment:deploy-to-restricted"


async def create(write: Write, safeguards: Safeguards, wanted: NewEnvironment) -> Environment:
    """Make an environment, which nothing is in yet. BrokenRule; NotAllowed; StoreConflict `environments_name` or
    `environment_presets_preset_id_fkey`.
    """
    write.refuse_without("environment:create")
    checked = check_environment(wanted, safeguards.namespaces)
    await _refuse_shared(write, checked)
    await check_enforceable(write, checked, None)
    made = await rows.insert(write, checked)
    await write.announce()
    await write.record("create", "environment", made.id, None, told_of_environment(made))
    return made


async def change(
    write: Write,
    safeguards: Safeguards,
    environment_id: str,
    wanted: Callable[[Environment], NewEnvironment],
    version: int | None = None,
) -> Environment:
    """Make of it what `wanted` says of what it is now. Raises as `create`.

    Who lifts a restriction lets in whoever it kept out, and who says where its servers run puts them beside others:
    both hold the permission that it asks for.
    """
    before = await _locked(write, environment_id, "environment:update", version)
    asked = wanted(before)
    stays = asked.namespace == before.namespace  # perhaps one that is closed by now: the rest is changed all the same
    asked = check_environment(asked, () if stays else safeguards.namespaces)
    moved = _place(asked) != _place(before)
    if before.restricted and (not asked.restricted or moved):
        await _refuse_to_decide(write, before)
    if before.restricted or moved:
        await _refuse_shared(write, asked)
    await check_enforceable(write, asked, before)
    after = await rows.update(write, environment_id, asked)
    if moved:
        await enforcement.forget(write.connection, environment_id)
    shut_out = await _announce(write, before, after)
    told = told_of_environment(after) | ({"shut_out": shut_out} if shut_out else {})
    await write.record("update", "environment", environment_id, told_of_environment(before), told)
    return after


async def delete(write: Write, environment_id: str, version: int | None = None) -> None:
    """Delete one that no entry is in and no gateway names; NotNow for another. Whoever deletes a restricted one may
    lift its restriction: else another would be made in its place, and lead to where it led.
    """
    before = await _locked(write, environment_id, "environment:delete", version)
    if before.restricted:
        await _refuse_to_decide(write, before)
    inside = await entries.inside(write.connection, [environment_id])
    if inside:
        seen = [one.slug for one in seen_entries(inside, write.actor)]
        told = _told("entries", seen, len(inside))
        raise NotNow(f"{told} are in this environment. Take them out of it first.")
    serving = await gateway_environments.gateways_naming(write.connection, environment_id)
    if serving:
        seen = await gateway_environments.gateways_naming(write.connection, environment_id, write.actor)
        raise NotNow(f"{_told('gateways', seen, len(serving))} serve this environment. Have them name others first.")
    await rows.delete(write, environment_id)
    await write.announce()
    await write.record("delete", "environment", environment_id, told_of_environment(before), None)


def _told(what: str, seen: Sequence[str], number: int) -> str:
    """Things by the slugs that the actor sees, of a number of them."""
    parts = [f"The {what} {', '.join(seen)}"] * bool(seen) + [f"{what} of others"] * (len(seen) < number)
    told = " and ".join(parts)
    return told[0].upper() + told[1:]


async def placer(write: Write, wanted: WantedEntry, before: Entry | None, *, named: bool) -> str | None:
    """Who stands for the entry being where it is to be. NotAllowed where it would get into, or out of, a restricted
    environment, or be another server in one, and the actor may not do that; BrokenRule for an environment that is not
    there.

    Whoever makes another server of it stands for that, also where nothing is restricted yet. `named`: that its
    environment is asked for, be it the one that it is in. Then whoever holds the permission stands for it from now
    on, in the place of somebody who holds it no more.
    """
    was, kept = (before.environment_id, before.placed_by) if before else (None, None)
    there, actor = wanted.environment_id, write.actor.user_id or None
    if before is not None and there == was:
        if there is not None and _is_another(wanted, before):
            await _refuse_restricted(write, there)
            return actor
        takes_over = named and there is not None and write.actor.may(DEPLOY)
        return actor if takes_over else kept
    for one in sorted(filter(None, (was, there))):
        await _refuse_restricted(write, one)
    return actor if there else None


async def refuse_to_take_out(write: Write, entry: Entry) -> None:
    """NotAllowed for an actor who would delete an entry that is in a restricted environment: it is there no more."""
    if entry.environment_id is not None:
        await _refuse_restricted(write, entry.environment_id)


def _is_another(wanted: WantedEntry, before: Entry) -> bool:
    """Whether another server runs, or is called, after a change. A field that stands in the command, the URL or a
    variable has its default there where nobody answers it, so that whoever says the default says that too.
    """
    if wanted.reached != before.reached or wanted.run_secrets is not None:
        return True
    if _at_start(wanted) != _at_start(before):
        return True
    return [*map(_given, wanted.fields)] != [*map(_given, before.fields)]


def _at_start(entry: EntryFields) -> Credential | None:
    """Its credential, if that is a variable or a file of its program; another provider's token is another content."""
    credential = entry.credential
    if not isinstance(credential, StaticCredential | WithAccount):
        return None
    return credential if credential.variable or credential.file else None


def _given(field: Field) -> Field:
    """What a server gets of it, without what people read."""
    return replace(field, title="", description="")


async def _refuse_restricted(write: Write, environment_id: str) -> None:
    """NotAllowed for an actor who decides nothing of what is in this environment; it stays as it is meanwhile."""
    found = await environments.one(write.connection, environment_id, lock=True)
    if found is None:
        raise BrokenRule("environment_id", "is not the id of an environment; list /environments")
    if found.restricted:
        await _refuse_to_decide(write, found)


async def _refuse_to_decide(write: Write, restricted: Environment) -> None:
    await write.holder(DEPLOY, Organisation(), f"The environment {restricted.name} is restricted.")


async def check_image(write: Write, wanted: NewEntry, before: Entry | None) -> None:
    """BrokenRule for another image, or an image elsewhere, that the environment does not let in. What stays as it is
    is judged before its server is started again (`control/servers/wanting.py`).
    """
    run = wanted.reached
    if not isinstance(run, SelfHosted) or wanted.environment_id is None:
        return
    was = before.reached if before and before.environment_id == wanted.environment_id else None
    if isinstance(was, SelfHosted) and was.image == run.image:
        return
    found = await environments.one(write.connection, wanted.environment_id)
    if found is not None:
        check_from(run.image, found.image_registries, found.name)


async def _announce(write: Write, before: Environment, after: Environment) -> list[str]:
    """Tell proxies where its remote entries are held to something else now; slugs of those that are shut out."""
    if (before.egress, before.presets) == (after.egress, after.presets):
        await write.announce()
        return []
    now = await held_now(write, [after.id])
    await write.announce(entries=now.entries, installations_over=now.installations_over)
    return now.shut_out


async def _refuse_shared(write: Write, asked: NewEnvironment) -> None:
    """NotAllowed where an environment that is not restricted would lead into the namespace, or to the nodes, of one
    that is.
    """
    if asked.restricted:
        return
    for one in await environments.restricted(write.connection):
        if asked.namespace and asked.namespace == one.namespace:
            why = f"The namespace {one.namespace} is that of the environment {one.name}, which is restricted."
        elif leads_to_nodes(asked, one):
            why = f"Its servers would get to nodes of the environment {one.name}, which is restricted."
        else:
            continue
        await write.holder(DEPLOY, Organisation(), why)


def _place(environment: NewEnvironment) -> tuple[object, ...]:
    """Where its servers run; a toleration that leaves something out is the one that says what is usual."""
    tolerations = [{"operator": "Equal", "value": "", "effect": "", **one} for one in environment.tolerations]
    return environment.namespace, environment.node_selector, tolerations


async def _locked(write: Write, environment_id: str, action: Action, version: int | None) -> Environment:
    found = await environments.one(write.connection, environment_id, lock=True)
    if found is None:
        raise NotThere("environment")
    write.refuse_without(action)
    refuse_stale(version, found.version)
    return found
