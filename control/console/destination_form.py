"""The part of two forms that names destinations: networks, domains and ports, one on each line.

Of an egress preset, and of an environment's own policy.
"""

from collections.abc import Iterable

from control.console.forms import Form
from control.registry.egress import Egress, NewEgressPreset

FIELDS = ("cidrs", "domains", "ports")


def given_of(named: Egress | NewEgressPreset) -> dict[str, str]:
    """What stands in its fields."""
    return {name: one_on_each_line(getattr(named, name)) for name in FIELDS}


def named_in(form: Form) -> dict[str, list[str]]:
    """What was typed. No port at all is the usual one."""
    found = {name: form.lines(name) for name in FIELDS}
    return found | {"ports": found["ports"] or ["443"]}


def one_on_each_line(values: Iterable[str]) -> str:
    """The values of a field that has several lines."""
    return "\n".join(values)
