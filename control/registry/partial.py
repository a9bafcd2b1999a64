"""A change of some parts of an object, such as an entry or a gateway, made into the whole that it asks for.

What is named changes; what is not named stays, unless it no longer fits what is named: it then goes. Called for what
callers of the admin API send, in its words. Leaves out whether the whole can be saved: `entry_rules.py`,
`visibility.py`.
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from control.registry.broken_rule import BrokenRule
from control.registry.credential import credential_of
from control.registry.entry import Entry, WantedEntry, reached_of, told_of_entry
from control.registry.environment import Environment, NewEnvironment, told_of_environment
from control.registry.gateway import Gateway, GatewayFields, told_of_gateway
from control.registry.identity_provider import IdentityProvider, ProviderFields, told_of_provider


def new_entry(told: Mapping[str, Any], named: Collection[str]) -> WantedEntry:
    """A new entry. One that is to be a team's own is shown to that team, unless it is named who sees it; one that
    says what to run is run here, unless its kind is named.
    """
    if told.get("run") is not None and "kind" not in named:
        told = {**told, "kind": "self_hosted"}
    if told["team_id"] is not None and not {"visibility", "teams"} & set(named):
        told = {**told, "visibility": "teams", "teams": [told["team_id"]]}
    return wanted_entry(told)


def wanted_entry(told: Mapping[str, Any]) -> WantedEntry:
    """An entry from the words of the admin API: `kind`, `url` and `run` are how it is reached; the credential's model
    and placement are one.
    """
    told = {"kind": "remote", "run": None, **told}
    credential = credential_of(told["credential_model"], told["credential_placement"])
    runs = told["kind"] == "self_hosted"
    if runs and told["run"] is None:
        raise BrokenRule("run", "is needed for the kind self_hosted: what Archway is to run")
    if runs and told["url"]:
        raise BrokenRule("url", "must be left out for the kind self_hosted: where it answers, Archway says")
    if not runs and told["run"] is not None:
        raise BrokenRule("run", "goes with the kind self_hosted; leave it out, or name that kind")
    return msgspec.convert({**told, "reached": reached_of(told), "credential": credential}, WantedEntry)


def entry_with(before: Entry, given: Mapping[str, Any]) -> WantedEntry:
    """The entry with the given parts, of `run` too. Another credential model drops the placement, and the
    organisation the teams, unless those are given too. Fixed headers and secrets that are not given stay.
    """
    told = told_of_entry(before)
    wanted = {**told, "fixed_headers": None, "run_secrets": None, "client_secret": None, **given}
    if given.get("run") and told["run"]:
        resources = {**told["run"]["resources"], **given["run"].get("resources", {})}
        wanted["run"] = {**told["run"], **given["run"], "resources": resources}
    if given.get("kind", told["kind"]) != told["kind"]:
        _forget_other_kind(wanted, given)
    if wanted["credential_model"] != told["credential_model"] and "credential_placement" not in given:
        wanted["credential_placement"] = None
    if given.get("visibility") == "organisation" and "teams" not in given:
        wanted["teams"] = []
    return wanted_entry(wanted)


def _forget_other_kind(wanted: dict[str, Any], given: Mapping[str, Any]) -> None:
    """What only the former kind of server has goes, with the values that were sealed for it."""
    gone: dict[str, Any] = {"url": ""} if wanted["kind"] == "self_hosted" else {"run": None, "run_secrets": {}}
    wanted.update({name: value for name, value in gone.items() if name not in given})


def gateway_with(before: Gateway, given: Mapping[str, Any]) -> GatewayFields:
    """The gateway with the given parts. Another visibility drops the owner or the teams that only the former one has,
    another identity provider the audience, and no provider the assertions, unless those are given too. BrokenRule for
    a personal gateway whose owner is taken away.
    """
    wanted = {**told_of_gateway(before), **given}
    if given.get("visibility", "personal") != "personal" and "owner_id" not in given:
        wanted["owner_id"] = None
    if given.get("visibility", "teams") != "teams" and "teams" not in given:
        wanted["teams"] = []
    if "identity_provider_id" in given and "identity_provider_audience" not in given:
        wanted["identity_provider_audience"] = ""
    if given.get("identity_provider_id", "") is None and "takes_assertions" not in given:
        wanted["takes_assertions"] = False
    if wanted["visibility"] == "personal" and given.get("owner_id", "") is None:
        raise BrokenRule(
            "owner_id", "must be a user's id where visibility is 'personal'; leave it out to keep the owner"
        )
    return msgspec.convert(wanted, GatewayFields)


def environment_with(before: Environment, given: Mapping[str, Any]) -> NewEnvironment:
    """The environment with the given parts, of its policy, resources and quota too; everything else stays.

    But destinations and presets that are not given go where the mode is, or becomes, another than `restricted`.
    """
    told = told_of_environment(before)
    parts = {
        name: {**(told[name] or {}), **given[name]}
        for name in ("egress", "resources", "quota")
        if given.get(name) is not None
    }
    wanted = {**told, **given, **parts}
    egress = wanted["egress"]
    if egress is None or egress["mode"] != "restricted":
        wanted["presets"] = given.get("presets") or []
        wanted["egress"] = egress and {**(given.get("egress") or {}), "mode": egress["mode"]}
    return msgspec.convert(wanted, NewEnvironment)


def provider_with(before: IdentityProvider, given: Mapping[str, Any]) -> ProviderFields:
    """The identity provider with the given parts, of `exchange` too; everything else stays."""
    told = told_of_provider(before)
    exchange = {**told["exchange"], **(given.get("exchange") or {})}
    return msgspec.convert({**told, **given, "exchange": exchange}, ProviderFields)
