"""The form of an environment: its fields as they are typed, and what was typed as the admin API wants it.

A toleration is typed as kubectl writes a taint, `key=value:effect`; `key:effect` tolerates any value, `*` every
taint, `*:effect` every one of that effect, and a number of seconds may follow: `key:NoExecute:60`
(https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/).
"""

from collections.abc import Mapping
from typing import Any, Final

from control.console.destination_form import given_of, named_in, one_on_each_line
from control.console.forms import Form
from control.console.server_form import number_typed
from control.http.problems import invalid
from control.registry.egress import Egress
from control.registry.environment import Environment
from control.registry.self_hosted import Resources

NO_POLICY: Final = "none"
"""In the form, of an environment without an egress policy."""
MODES: Final = (
    (NO_POLICY, "No policy: as All, and never probed"),
    ("off", "Off: nothing but DNS"),
    ("restricted", "Restricted: what is named below"),
    ("all", "All: everything but link-local addresses"),
)
_RESOURCES: Final = ("cpu", "memory", "memory_limit", "cpu_limit")
BLANK: Final[Mapping[str, str]] = {
    "name": "", "restricted": "", "namespace": "", "mode": NO_POLICY, "cidrs": "", "domains": "", "ports": "443",
    "node_selector": "", "tolerations": "", "image_registries": "",
    **{f"resources.{name}": "" for name in _RESOURCES},
    "quota.servers": "0", "quota.cpu": "", "quota.memory": "",
}  # fmt: skip
"""A new one."""


def given(kept: Environment) -> dict[str, str]:
    """What stands in the fields of an environment that is kept."""
    resources = kept.resources or Resources()
    return {
        "name": kept.name,
        "restricted": "true" if kept.restricted else "",
        "namespace": kept.namespace,
        "mode": NO_POLICY if kept.egress is None else kept.egress.mode,
        **given_of(kept.egress or Egress()),
        **{f"presets.{one}": "true" for one in kept.presets},
        "node_selector": one_on_each_line(f"{name}={value}" for name, value in kept.node_selector.items()),
        "tolerations": one_on_each_line(typed_toleration(one) for one in kept.tolerations),
        "image_registries": one_on_each_line(kept.image_registries),
        **{f"resources.{name}": getattr(resources, name) for name in _RESOURCES},
        "quota.servers": str(kept.quota.servers),
        "quota.cpu": kept.quota.cpu,
        "quota.memory": kept.quota.memory,
        "version": str(kept.version),
    }


def wanted(form: Form) -> dict[str, Any]:
    """The parts that a model of the admin API does not read of the form by itself; raises Problem."""
    resources = {name: form.value(f"resources.{name}") for name in _RESOURCES}
    mode, named = form.value("mode"), named_in(form)
    presets = [name.removeprefix("presets.") for name in form.given if name.startswith("presets.")]
    other_ports = form.lines("ports") not in ([], [BLANK["ports"]])
    if mode != "restricted" and (named["cidrs"] or named["domains"] or other_ports or presets):
        raise invalid("mode", "must be Restricted for what is named below it; or leave those fields empty")
    return {
        "restricted": form.flag("restricted"),
        "egress": None if mode == NO_POLICY else {"mode": mode, **named},
        "presets": presets,
        "node_selector": dict(_pair(line) for line in form.lines("node_selector")),
        "tolerations": [_toleration(line) for line in form.lines("tolerations")],
        "image_registries": form.lines("image_registries"),
        "resources": resources if any(resources.values()) else None,
        "quota": {
            "servers": number_typed(form.value("quota.servers") or "0"),
            "cpu": form.value("quota.cpu"),
            "memory": form.value("quota.memory"),
        },
    }


def field_named(path: str) -> str:
    """The form's own name for a path of the API."""
    return path.removeprefix("egress.")


def _pair(line: str) -> tuple[str, str]:
    name, sign, value = line.partition("=")
    if not sign:
        raise invalid("node_selector", f"has {line!r}; write a label as key=value, one on each line")
    return name.strip(), value.strip()


def _toleration(line: str) -> dict[str, Any]:
    if line == "*":
        return {"operator": "Exists"}
    taint, *rest = line.split(":")
    if not 1 <= len(rest) <= 2 or (len(rest) == 2 and not rest[1].isdecimal()):
        ways = "key=value:effect, key:effect, *:effect or *"
        raise invalid("tolerations", f"has {line!r}; write {ways}, one on each line")
    key, equals, value = taint.partition("=")
    said: dict[str, Any] = {"operator": "Exists"} if taint == "*" else {"key": key, "operator": "Exists"}
    if equals:
        said |= {"operator": "Equal", "value": value}
    said |= {"effect": rest[0]} if rest[0] else {}
    return said | ({"tolerationSeconds": int(rest[1])} if len(rest) == 2 else {})


def typed_toleration(toleration: Mapping[str, Any]) -> str:
    """A toleration as the form has it: the other way round from what is typed."""
    key, effect = toleration.get("key") or "*", toleration.get("effect", "")
    if key == "*" and not effect:
        return key
    value = f"={toleration.get('value', '')}" if toleration.get("operator", "Equal") == "Equal" else ""
    seconds = f":{toleration['tolerationSeconds']}" if "tolerationSeconds" in toleration else ""
    return f"{key}{value}:{effect}{seconds}"
