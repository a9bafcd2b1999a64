"""Changes of gateways: the named endpoints, and who sees them. What they show is in `assignments.py`."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from control.changes.refusals import NotAllowed, refuse_stale
from control.changes.served_environments import check_shown
from control.changes.visible import visible_gateway
from control.changes.write import Write, there
from control.registry.access import Caller
from control.registry.actions import Action, lacking
from control.registry.broken_rule import BrokenRule
from control.registry.gateway import Gateway, GatewayFields, told_of_gateway
from control.registry.gateway_access import check_audience, may_manage_gateway, with_owner
from control.registry.headers import check_allowlist
from control.registry.oauth_client import may_call
from control.registry.provider_rules import audience_for
from control.registry.slugs import check_slug
from control.registry.team_entries import check_shown_on
from control.registry.visibility import check_visibility
from control.store import assignments, gateway_ways, gateways, identity_providers, oauth_clients, oauth_grants
from control.store.writes import gateways as rows
from core.identifiers import new_id
from core.mcp.questions import QUESTIONS


async def create(write: Write, wanted: GatewayFields) -> Gateway:
    """Make a gateway, which shows nothing yet. BrokenRule; StoreConflict `gateways_slug_key` or
    `gateways_owner_id_fkey`, `gateway_teams_team_id_fkey`, `gateway_environments_environment_id_fkey`.
    """
    gateway_id = new_id()
    checked = _checked(write.actor, "gateway:create", wanted)
    await _check_clients(write, checked.allowed_clients)
    await rows.insert(write, gateway_id, await _with_audience(write, checked))
    await write.announce(gateways=[gateway_id])
    made = there(await gateways.one(write.connection, gateway_id))
    await write.record("create", "gateway", gateway_id, None, told_of_gateway(made))
    return made


async def change(
    write: Write, gateway_id: str, wanted: Callable[[Gateway], GatewayFields], version: int | None = None
) -> Gateway:
    """Make of a gateway what `wanted` says of what it is now. Raises as `create`."""
    before = await _locked(write, gateway_id, "gateway:update", version)
    checked = _checked(write.actor, "gateway:update", wanted(before))
    check_audience(checked, await assignments.pins_of_one(write.connection, gateway_id))
    check_shown_on(checked, await assignments.of_team_entries(write.connection, gateway_id))
    await check_shown(write, gateway_id, checked)
    await _check_clients(write, checked.allowed_clients, before.allowed_clients)
    if _provider_named(checked) != _provider_named(before):
        checked = await _with_audience(write, checked)
    await rows.update(write, gateway_id, checked)
    if checked.slug != before.slug:
        await rows.retire_slug(write, gateway_id, before.slug)
    await write.announce(clients=await _shut_out(write, before, checked), gateways=[gateway_id])
    after = there(await gateways.one(write.connection, gateway_id))
    await write.record("update", "gateway", gateway_id, told_of_gateway(before), told_of_gateway(after))
    return after


async def delete(write: Write, gateway_id: str, version: int | None = None) -> None:
    """Delete a gateway with its assignments; its URL is unknown from then on."""
    before = await _locked(write, gateway_id, "gateway:delete", version)
    held = await oauth_grants.clients_at(write.connection, gateway_id)
    await rows.delete(write, gateway_id)
    await write.announce(clients=held, gateways_gone=[gateway_id])
    await write.record("delete", "gateway", gateway_id, told_of_gateway(before), None)


def managed(found: Gateway | None, caller: Caller, action: Action) -> Gateway:
    """The gateway; raises NotThere, or NotAllowed for a caller who may not do this to it."""
    if found is not None and may_manage_gateway(caller, action, found):
        return found
    visible_gateway(found, caller)
    raise NotAllowed(f"{lacking(action)} You may change your own personal gateways.")


async def _check_clients(write: Write, named: Sequence[str], before: Collection[str] = ()) -> None:
    """Raise BrokenRule for what is no client's ID. One with a document of its own need not have come yet, and what
    was named before is kept, whatever became of it.
    """
    new = {one for one in named if one not in before and not one.startswith(("https:", "http:"))}
    known = await gateway_ways.clients_named(write.connection, new) if new else {}
    for number, one in enumerate(named):
        if one not in new or one in known:
            continue
        called = await oauth_clients.called(write.connection, one)
        meant = f"a client's name, and its ID is wanted: {' or '.join(called)}" if called else (
            "no client's ID; `archway oauth-clients list` has them"
        )  # fmt: skip
        raise BrokenRule(f"allowed_clients[{number}]", f"is {meant}")


async def _with_audience(write: Write, wanted: GatewayFields) -> GatewayFields:
    """The gateway with what tokens of its provider must be for; BrokenRule."""
    if wanted.identity_provider_id is None:
        if wanted.identity_provider_audience:
            raise BrokenRule("identity_provider_audience", "is allowed only with `identity_provider_id`")
        if wanted.takes_assertions:
            raise BrokenRule("takes_assertions", "needs `identity_provider_id`: whose assertions it takes")
        return wanted
    provider = await identity_providers.one(write.connection, wanted.identity_provider_id)
    if provider is None:
        raise BrokenRule("identity_provider_id", "is not the id of an identity provider; list /identity-providers")
    audience = audience_for(wanted.identity_provider_audience, provider, takes_assertions=wanted.takes_assertions)
    return replace(wanted, identity_provider_audience=audience)


def _provider_named(gateway: GatewayFields) -> tuple[str | None, str, bool]:
    return gateway.identity_provider_id, gateway.identity_provider_audience, gateway.takes_assertions


async def _shut_out(write: Write, before: Gateway, after: GatewayFields) -> list[str]:
    """The clients whose tokens for the gateway are good no more, of those that have a grant for it.

    Either it lets them in no more, or it has another slug: then its tokens name a URL that may be another gateway's
    next, and what proxies remember of them must not let them in there. Or it takes no assertions any more of the
    provider that vouched for people.
    """
    shut: set[str] = set()
    if (before.allowed_clients, before.slug) != (after.allowed_clients, after.slug):
        held = await oauth_grants.clients_at(write.connection, before.id)
        shut |= {one for one in held if before.slug != after.slug or not may_call(one, after.allowed_clients)}
    took = (before.takes_assertions, before.identity_provider_id)
    if before.takes_assertions and took != (after.takes_assertions, after.identity_provider_id):
        shut |= {*await oauth_grants.clients_at(write.connection, before.id, by_assertion=True)}
    return sorted(shut)


async def _locked(write: Write, gateway_id: str, action: Action, version: int | None) -> Gateway:
    gateway = managed(await gateways.one(write.connection, gateway_id, lock=True), write.actor, action)
    refuse_stale(version, gateway.version)
    return gateway


def _checked(actor: Caller, action: Action, wanted: GatewayFields) -> GatewayFields:
    gateway = with_owner(actor, wanted)
    if not may_manage_gateway(actor, action, gateway):
        raise NotAllowed(f"{lacking(action)} You may make personal gateways of your own.")
    check_visibility(gateway.visibility, gateway.teams, gateway.owner_id)
    check_slug(gateway.slug)
    return replace(
        gateway,
        header_allowlist=tuple(check_allowlist(gateway.header_allowlist)),
        allowed_clients=tuple(dict.fromkeys(gateway.allowed_clients)),
        may_ask=tuple(one for one in QUESTIONS if one in gateway.may_ask),
    )
