"""Label and field selectors as a list or a watch of the Kubernetes API takes them.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Thing = dict[str, Any]
Labels = dict[str, str]
_SET = re.compile(r"(\S+)\s+(in|notin)\s+\((.*)\)")


def label_test(selector: str) -> Callable[[Thing], bool]:
    """Whether an object's labels are as a selector wants them."""
    tests = [_one_test(part.strip()) for part in re.split(r",(?![^(]*\))", selector) if part.strip()]
    return lambda thing: all(test(thing["metadata"].get("labels") or {}) for test in tests)


def _one_test(part: str) -> Callable[[Labels], bool]:
    if found := _SET.fullmatch(part):
        name, wants, values = found[1], found[2] == "in", {value.strip() for value in found[3].split(",")}
        return lambda labels: (labels.get(name) in values) == wants
    if "!=" in part:
        name, value = (side.strip() for side in part.split("!=", 1))
        return lambda labels: labels.get(name) != value
    if "=" in part:
        name, value = (side.strip() for side in re.split("==?", part, maxsplit=1))
        return lambda labels: labels.get(name) == value
    if part.startswith("!"):
        return lambda labels: part[1:] not in labels
    return lambda labels: part in labels


def field_test(selector: str) -> Callable[[Thing], bool]:
    """Whether an object's fields are as a selector wants them."""
    pairs = [part.replace("==", "=").split("=", 1) for part in selector.split(",") if part]
    tests = [(name.removesuffix("!").split("."), not name.endswith("!"), value) for name, value in pairs]
    return lambda thing: all((_field(thing, path) == value) == wants for path, wants, value in tests)


def _field(thing: Any, path: list[str]) -> str:
    for step in path:
        thing = thing.get(step) if isinstance(thing, dict) else None
    return "" if thing is None else str(thing)
