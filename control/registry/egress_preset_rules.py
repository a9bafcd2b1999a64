"""What an egress preset must say to be saved. Called by `control/changes/egress_presets.py`. Pure."""

from dataclasses import replace

from control.registry.broken_rule import BrokenRule
from control.registry.egress import NewEgressPreset
from core.egress.destinations import BadDestination, checked


def check_preset(wanted: NewEgressPreset) -> NewEgressPreset:
    """The preset in the form that is kept, or BrokenRule. Leaves out whether a cluster can hold it."""
    try:
        named = checked(wanted.destinations)
    except BadDestination as wrong:
        raise BrokenRule(wrong.field, wrong.message) from None
    if not named.cidrs and not named.domains:
        raise BrokenRule("domains", "must name a host, where no network is named: a preset is a list of destinations")
    return replace(wanted, cidrs=named.cidrs, domains=named.domains, ports=named.ports)
