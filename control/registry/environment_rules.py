"""What an environment must say to be saved: namespace, nodes, resources, registries and quotas that a cluster takes.

Called by `control/changes/environments.py`. A cluster would refuse most of it too, but only when the next server is
started, and to somebody else. Source of the forms: Kubernetes, "Object Names and IDs", "Labels and Selectors",
"Taints and Tolerations", and what its API says of pods that it refuses. Pure.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from control.registry.broken_rule import BrokenRule
from control.registry.egress import Egress
from control.registry.environment import NewEnvironment, Quota
from control.registry.image_sources import check_image_source
from control.registry.quantities import check_amount_of_memory, check_amount_of_processors, check_resources
from core.egress.destinations import BadDestination, checked

MAX_SELECTOR: Final = 16
MAX_TOLERATIONS: Final = 16
MAX_REGISTRIES: Final = 32
MAX_PRESETS: Final = 32
MAX_SERVERS: Final = 100_000
"""Of a quota."""
MAX_NAMESPACE: Final = 63
_MAX_PREFIX: Final = 253
_MAX_SECONDS: Final = 2**31 - 1
_NAMESPACE: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_PREFIX: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_TOLERATION: Final = ("key", "operator", "value", "effect", "tolerationSeconds")
_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_KEY: Final = "must be the key of a label, such as disktype or example.com/pool"
_VALUE: Final = (
    "must be the value of a label: up to 63 of a-z, A-Z, 0-9, '-', '_', '.', a letter or digit at both ends"
)
E = TypeVar("E", bound=NewEnvironment)


def check_environment(wanted: E, namespaces: Collection[str] = ()) -> E:
    """The environment in the form that is kept, or BrokenRule. `namespaces`: in which control may run servers, the
    deployment's own first; (): any name will do, since there is no cluster yet, or it is the one from before.

    Leaves out whether anything there can enforce its egress policy.
    """
    if wanted.namespace:
        _check_namespace(wanted.namespace, namespaces)
    _check_selector(wanted.node_selector)
    _check_tolerations(wanted.tolerations)
    if wanted.resources is not None:
        check_resources(wanted.resources, "resources")
    _check_quota(wanted.quota)
    _check_mode(wanted)
    if len(wanted.presets) > MAX_PRESETS:
        raise BrokenRule("presets", f"has {len(wanted.presets)}; at most {MAX_PRESETS} are allowed")
    return replace(
        wanted,
        egress=wanted.egress and _checked_egress(wanted.egress),
        image_registries=_checked_registries(wanted.image_registries),
    )


def _check_namespace(name: str, namespaces: Collection[str]) -> None:
    if _NAMESPACE.fullmatch(name) is None:
        raise BrokenRule(
            "namespace",
            f"must be 1 to {MAX_NAMESPACE} of a-z, 0-9 and '-', with a letter or digit at both ends (a DNS label)",
        )
    if namespaces and name not in namespaces:
        raise BrokenRule(
            "namespace",
            f"must be one in which servers may run here: {', '.join(namespaces)}. The deployment's "
            "ARCHWAY_SERVERS_NAMESPACES names them",
        )


def _check_mode(wanted: NewEnvironment) -> None:
    """BrokenRule for destinations beside a mode that asks for none: whoever names them believes that they hold."""
    egress = wanted.egress or Egress()
    if egress.mode == "restricted":
        return
    named = {"egress.cidrs": egress.cidrs, "egress.domains": egress.domains, "presets": wanted.presets}
    field = next((name for name, those in named.items() if those), None)
    if field is None and egress.ports != Egress().ports:
        field = "egress.ports"
    if field is not None:
        why = f"goes with the `egress.mode` restricted alone, and the mode is {egress.mode}"
        raise BrokenRule(field, f"{why}; give `egress.mode` restricted too")


def _checked_egress(egress: Egress) -> Egress:
    try:
        named = checked(egress.destinations)
    except BadDestination as wrong:
        raise BrokenRule(f"egress.{wrong.field}", wrong.message) from None
    return Egress(egress.mode, named.cidrs, named.domains, named.ports)


def _check_selector(selector: Mapping[str, str]) -> None:
    if len(selector) > MAX_SELECTOR:
        raise BrokenRule("node_selector", f"has {len(selector)} labels; at most {MAX_SELECTOR} are allowed")
    for key, value in selector.items():
        if not _is_key(key):
            raise BrokenRule("node_selector", _KEY)
        if not _is_value(value):
            raise BrokenRule(f"node_selector.{key}", _VALUE)


def _check_tolerations(tolerations: Sequence[Mapping[str, Any]]) -> None:
    if len(tolerations) > MAX_TOLERATIONS:
        raise BrokenRule("tolerations", f"has {len(tolerations)}; at most {MAX_TOLERATIONS} are allowed")
    for number, one in enumerate(tolerations):
        wrong = next(_faults_of_toleration(one), None)
        if wrong is not None:
            raise BrokenRule(".".join(filter(None, (f"tolerations[{number}]", wrong[0]))), wrong[1])


def _faults_of_toleration(one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Its fields and what is wrong with each, as the API server finds it."""
    if not set(one) <= set(_TOLERATION):
        yield "", f"has a field that tolerations have not; they have {', '.join(_TOLERATION)}"
    for name in _TOLERATION[:4]:
        if not isinstance(one.get(name, ""), str):
            yield name, "must be a text"
    key, value, operator = one.get("key", ""), one.get("value", ""), one.get("operator", "Equal")
    if operator not in {"Equal", "Exists"}:
        yield "operator", "must be Equal or Exists"
    if key and not _is_key(key):
        yield "key", _KEY
    if not key and operator != "Exists":
        yield "operator", "must be Exists where no key is named: every taint is tolerated then"
    if operator == "Exists" and value:
        yield "value", "must be left out with the operator Exists"
    if not _is_value(value):
        yield "value", _VALUE
    effect = one.get("effect", "")
    if effect and effect not in _EFFECTS:
        yield "effect", f"must be {', '.join(_EFFECTS)}, or left out for all of them"
    seconds = one.get("tolerationSeconds")
    if seconds is not None and effect != "NoExecute":
        yield "tolerationSeconds", "goes with the effect NoExecute"
    if seconds is not None and (type(seconds) is not int or not 0 <= seconds <= _MAX_SECONDS):
        yield "tolerationSeconds", "must be a whole number of seconds"


def _check_quota(quota: Quota) -> None:
    if not 0 <= quota.servers <= MAX_SERVERS:
        raise BrokenRule("quota.servers", f"must be 0 to {MAX_SERVERS}; 0: without limit")
    if quota.cpu:
        check_amount_of_processors(quota.cpu, "quota.cpu")
    if quota.memory:
        check_amount_of_memory(quota.memory, "quota.memory")


def _checked_registries(named: Sequence[str]) -> tuple[str, ...]:
    if len(named) > MAX_REGISTRIES:
        raise BrokenRule("image_registries", f"has {len(named)}; at most {MAX_REGISTRIES} are allowed")
    checked = (check_image_source(one, f"image_registries[{number}]") for number, one in enumerate(named))
    return tuple(dict.fromkeys(checked))


def _is_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > _MAX_PREFIX or _PREFIX.fullmatch(prefix) is None):
        return False
    return _NAME.fullmatch(name) is not None


def _is_value(value: str) -> bool:
    return not value or _NAME.fullmatch(value) is not None
