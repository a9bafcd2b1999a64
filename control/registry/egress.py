"""The egress policy of an environment, and presets: destinations that an admin names once.

Leaves out the rules about them, and what is made of them (`core/egress/rules.py`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import msgspec

from control.registry.told import as_plain
from core.egress.rules import Allowed, EgressMode, EgressRules


class Egress(msgspec.Struct, frozen=True):
    """What the servers of an environment may reach, beside its presets."""

    mode: EgressMode = "all"
    cidrs: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    ports: tuple[str, ...] = ("443",)
    """Of these networks and domains."""

    @property
    def destinations(self) -> Allowed:
        """What it names by itself, on its ports; of the mode `restricted` alone it is what is allowed."""
        return Allowed(self.cidrs, self.domains, self.ports)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEgressPreset:
    """What a preset is made of, and what may be changed of it."""

    name: str
    description: str = ""
    cidrs: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    ports: tuple[str, ...] = ("443",)

    @property
    def destinations(self) -> Allowed:
        """What it names, on its ports."""
        return Allowed(self.cidrs, self.domains, self.ports)


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressPreset(NewEgressPreset):
    """A preset that is kept, with its identifier and version."""

    id: str
    created_at: datetime
    updated_at: datetime
    version: int


def rules_of(egress: Egress | None, presets: Iterable[NewEgressPreset] = ()) -> EgressRules:
    """What is allowed in all. None: no policy, which is everything."""
    if egress is None:
        return EgressRules()
    if egress.mode != "restricted":
        return EgressRules(mode=egress.mode)
    named = [egress.destinations, *(preset.destinations for preset in presets)]
    return EgressRules(mode="restricted", allowed=tuple(one for one in named if one.cidrs or one.domains))


def settable(preset: NewEgressPreset) -> dict[str, Any]:
    """What may be changed of it by the names of its fields, to make another of them."""
    return {one.name: getattr(preset, one.name) for one in fields(NewEgressPreset)}


def told_of_preset(preset: EgressPreset) -> dict[str, Any]:
    """All that people are told of a preset, in the words of the admin API."""
    return {one.name: as_plain(getattr(preset, one.name)) for one in fields(preset)}
