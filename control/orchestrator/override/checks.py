"""What one value of an override may be, as functions of the value and its path that add what is wrong to `Faults`.

`may_be_said.py` puts them together into the list of what may be said. What no list names is refused: there is no way
through here for a field that nobody thought of. Pure.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from control.orchestrator.override.faults import Faults
from control.orchestrator.override.merge import KEYS, PATCH, key_of
from control.orchestrator.override.refused_fields import why_refused
from core.strict_yaml import Path

Check: TypeAlias = Callable[[Any, Path, Faults], None]
_LONGEST_TEXT: Final = 4_096


def fields(allowed: Mapping[str, Check], needed: tuple[str, ...] = ()) -> Check:
    """A map with these fields alone."""

    def check(value: Any, path: Path, faults: Faults) -> None:
        if not _is_map(value, path, faults):
            return
        for name, inner in value.items():
            if name not in allowed:
                faults.add((*path, name), why_refused(name))
            else:
                allowed[name](inner, (*path, name), faults)
        if value.keys() <= allowed.keys():  # else something that is refused stands in the place of it
            for name in needed:
                if name not in value:
                    faults.add(path, f"needs {name}")

    return check


def items(each: Check, most: int) -> Check:
    """A list whose items are all so; one that is merged by a key has each key once, and no `$patch`."""

    def check(value: Any, path: Path, faults: Faults) -> None:
        if not isinstance(value, list) or len(value) > most:
            faults.add(path, f"must be a list of at most {most}")
            return
        field, seen = str(path[-1]), set[tuple[str, ...]]()
        for number, item in enumerate(value):
            each(item, (*path, number), faults)
            if field in KEYS and isinstance(item, dict):
                if (key := key_of(item, field)) in seen:
                    faults.add((*path, number), f"has the {KEYS[field][0]} of another item; write them as one")
                seen.add(key)

    return check


def pairs(name: Check, value: Check, most: int, *, replaces: bool = False) -> Check:
    """A map from texts of one kind to values of another; null takes away, as `$patch: replace` does where it
    `replaces`.
    """

    def check(found: Any, path: Path, faults: Faults) -> None:
        if not _is_map(found, path, faults):
            return
        if len(found) > most:
            faults.add(path, f"must have at most {most}")
        for key, one in found.items():
            if replaces and key == PATCH and one == "replace":
                continue
            name(key, (*path, key), faults)
            if one is not None:
                value(one, (*path, key), faults)

    return check


def text(pattern: str, meant: str, most: int = _LONGEST_TEXT) -> Check:
    """A text of this form; `meant` says in words which."""
    form = re.compile(pattern)

    def check(value: Any, path: Path, faults: Faults) -> None:
        if not isinstance(value, str) or len(value) > most or form.fullmatch(value) is None:
            faults.add(path, f"must be {meant}")

    return check


def number(least: int, most: int) -> Check:
    """A whole number."""

    def check(value: Any, path: Path, faults: Faults) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            faults.add(path, f"must be a whole number from {least} to {most}")

    return check


def flag(value: Any, path: Path, faults: Faults) -> None:
    """True or false."""
    if not isinstance(value, bool):
        faults.add(path, "must be true or false")


def one_of(*words: str) -> Check:
    """One of these words."""
    return judged(lambda value: value in words if isinstance(value, str) else False, f"must be {' or '.join(words)}")


def only(fixed: Any) -> Check:
    """What it is anyway: it may be said, and nothing else."""
    told = str(fixed).lower() if isinstance(fixed, bool) else ", ".join(fixed) if isinstance(fixed, list) else fixed
    return judged(lambda value: bool(value == fixed) and type(value) is type(fixed), f"is {told}, and stays so")


def judged(fits: Callable[[Any], bool], sentence: str) -> Check:
    """Whatever `fits`."""

    def check(value: Any, path: Path, faults: Faults) -> None:
        if not fits(value):
            faults.add(path, sentence)

    return check


def raising(judge: Callable[[str], object], raised: type[Exception], said: Callable[[Any], str]) -> Check:
    """A text that `judge`, which raises `raised` for what it refuses, lets pass; `said`: its sentence."""

    def check(value: Any, path: Path, faults: Faults) -> None:
        try:
            judge(value if isinstance(value, str) else "")
        except raised as why:
            faults.add(path, said(why))

    return check


def _is_map(value: Any, path: Path, faults: Faults) -> bool:
    if not isinstance(value, dict):
        faults.add(path, "must be a map of names and values")
        return False
    return True
