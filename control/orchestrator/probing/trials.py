"""What a probe tries for each kind of rules: the rules it is held to, what must answer, and what must not. Pure.

The rules are of the environment's kind and not its very list: of that nobody knows what listens where. They allow
what surely listens, a pod of the probe's own or what the operator names, and leave out what surely listens too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from control.registry.enforcement import RuleKind
from control.registry.probe_targets import ProbeTarget
from core.egress.addresses import Network
from core.egress.rules import Allowed, EgressRules
from core.reach_terms import API_SERVER, NAMESERVER

PORTS: Final = (8081, 8082)
"""On which the probe's own pod listens: one that a rule allows, and one that none does."""
METADATA: Final = ("169.254.169.254:80",)
"""Link-local, which even `all` shuts: where clouds tell their machines who they are."""
NOBODY: Final = "probe.invalid"
"""A name that nobody can have (RFC 6761 section 6.4), for a rule that allows no host that is there."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried of one kind of rules, by a pod that is held to `rules`."""

    kind: RuleKind
    rules: EgressRules
    opens: tuple[str, ...]
    """Targets that the rules allow."""
    shuts: tuple[str, ...]
    """Targets that they do not."""
    lacks: str = ""
    """What would have to be given to try what is allowed; '' where nothing lacks."""


def trial_of(kind: RuleKind, listener: str, targets: Sequence[ProbeTarget], never: Sequence[Network] = ()) -> Trial:
    """The trial of this kind, where the probe's own pod listens at the address `listener`. `never`: networks that the
    operator shuts for every server.
    """
    own = [ProbeTarget(listener, port, is_address=True) for port in PORTS]
    names = [one for one in targets if not one.is_address]
    addresses = [one for one in targets if one.is_address and not _is_in(one, never)]
    shut = [one for one in targets if one.is_address and _is_in(one, never)]
    match kind:
        case "off":
            return Trial(kind, EgressRules("off"), (NAMESERVER,), (*_texts([*own, *targets]), API_SERVER))
        case "all":
            opens, shuts = ([], own) if _is_in(own[0], never) else (own, [])
            shuts = [*shuts, *shut]
            return Trial(kind, EgressRules("all"), _texts([*opens, *addresses, *names]), (*METADATA, *_texts(shuts)))
        case "cidr":
            # Some providers match pods by their labels alone: what the operator names is better.
            opens = addresses or ([] if _is_in(own[0], never) else own[:1])
            shuts = [one for one in own if one not in opens]
            lacks = "" if opens else "an address"
            rules = _only(opens or own[:1])
            return Trial(kind, rules, _texts(opens), (*_texts([*shuts, *shut, *names]), API_SERVER), lacks)
        case "domain":
            denied = (*_texts([*own, *addresses, *shut]), API_SERVER)
            if not names:
                return Trial(kind, _only([ProbeTarget(NOBODY, 443, is_address=False)]), (), denied, "a name")
            return Trial(kind, _only(names), _texts(names), denied)


def _is_in(target: ProbeTarget, networks: Sequence[Network]) -> bool:
    return any(ip_address(target.host) in network for network in networks)


def _only(targets: Sequence[ProbeTarget]) -> EgressRules:
    allowed: tuple[Allowed, ...] = tuple(one.allowed for one in targets)
    return EgressRules("restricted", allowed)


def _texts(targets: Sequence[ProbeTarget]) -> tuple[str, ...]:
    return tuple(str(one) for one in targets)
