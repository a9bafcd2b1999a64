"""Options that change a list or a map in parts, and what a replacement of the whole took away.

The API replaces lists and maps whole. `--add-team` and `--remove-team` make the whole of what is there now; the
version that was read goes with it, so that a change of somebody else in between is refused and not undone.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from archway.admin.names import Names
from archway.admin.resource import Option
from archway.admin_client import AdminApi

KEPT_AS = {"fixed_headers": "fixed_header_names"}
"""Fields that are never shown, by the field that names what they hold."""


class NotInPart(Exception):
    """What is to be removed is not there; the sentence says what is."""


def changed(api: AdminApi, option: Option, now: Any, given: Any) -> Any:
    """The list or map `now` with what was given, or without it; raises NotInPart."""
    if isinstance(given, dict):
        return {**(now or {}), **given}
    there = {str(one).casefold(): one for one in now or ()}
    if option.part == "add":
        return [*(now or ()), *(one for one in given if str(one).casefold() not in there)]
    for one in given:
        if str(one).casefold() not in there:
            asked, *others = _called(api, option, [one, *there.values()])
            raise NotInPart(
                f"{option.option} {asked}: there is no such; what is there: {', '.join(others) or 'nothing'}"
            )
    gone = {str(one).casefold() for one in given}
    kept = [one for name, one in there.items() if name not in gone]
    return {one: now[one] for one in kept} if isinstance(now, dict) else kept


def removed(
    api: AdminApi,
    options: Iterable[Option],
    given: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> list[str]:
    """A line for each list or map of which something is gone that nobody asked to remove: it was replaced whole, or
    emptied by another option, as `--egress off` does. `given`: what was typed.
    """
    parts = [option for option in options if option.part]
    told = {option.field for option in parts}
    typed = {option.field for option in parts if given.get(option.flag)}
    wholes = [
        option
        for option in options
        if not option.part and option.field not in typed and (not option.member or option.field in told)
    ]
    lines: list[str] = []
    for option in wholes:
        if gone := _gone(api, option, before, after):
            replaced = bool(given.get("body") or given.get(option.flag or option.name))
            lines.append(_replaced(option, parts, gone) if replaced else f"{option.option}: gone with this: {gone}")
    return lines


def _gone(api: AdminApi, option: Option, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What is no longer in the option's list or map, as people call it."""
    kept = replace(option, name=KEPT_AS.get(option.name, option.name))
    was, left = kept.of_it(before), kept.of_it(after)
    if not isinstance(was, list | dict) or not isinstance(left, list | dict):
        return ""
    gone = [one if isinstance(one, str) else json.dumps(one) for one in was if one not in left]
    return ", ".join(_called(api, option, gone))


def _replaced(option: Option, parts: Iterable[Option], gone: str) -> str:
    adding = next(
        (one.option for one in parts if one.field == option.field and one.part == "add"),
        "",
    )
    cure = f"; {adding} would keep it" if adding else ""
    return f"{option.option} replaces the whole. Removed: {gone}{cure}"


def _called(api: AdminApi, option: Option, those: Iterable[str]) -> list[str]:
    """What people call them: names of teams, environments and egress presets, anything else as it is."""
    names = Names(api)
    match option.of:
        case "team":
            return [names.team(one) for one in those]
        case "environment":
            return [names.environment(one) for one in those]
        case "egress_preset":
            return [names.preset(one) for one in those]
        case _:
            return list(those)
