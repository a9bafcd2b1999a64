"""Install-time fields: what an entry asks of everyone who installs it, and the check of what they answer.

Called when an entry is saved (`check_fields`) and when an installation is filled in (`check_answers`); what the
answers then fill is said by `field_contents.py`. A field fills one thing: a request header; a variable or a file of a
server that we run; or the placeholder of its name, in the entry's URL (`url_template.py`) or command
(`arguments.py`). A secret fills no placeholder, since URLs are written into logs and commands are seen by all.
"""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from control.registry.arguments import why_no_argument
from control.registry.broken_rule import BrokenRule
from control.registry.credential import CREDENTIAL
from control.registry.headers import check_own_header, check_value
from control.registry.run_names import check_content, check_file, check_variable
from control.registry.targets import Target, TargetKind, header
from control.registry.url_template import UrlPart, why_not
from core.egress.addresses import AddressPolicy, UrlRefused, check_url

FieldType = Literal["string", "number", "boolean", "url", "secret", "select"]
Answer = str | int | float | bool
Place = UrlPart | Literal["argument"]
"""What a placeholder stands for: a part of the URL, or an argument of the command."""

MAX_FIELDS = 32
MAX_OPTIONS = 100
MAX_TITLE = 200
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TYPES_PLACED: Final = ("string", "select", "number")
ONLY_HEADERS: Final[tuple[TargetKind, ...]] = ("header",)
"""What fields of a server that runs elsewhere may fill."""
NO_TARGET: Final[Mapping[TargetKind, str]] = MappingProxyType(
    {
        "header": "must be left out: a program over stdio gets no headers; use a variable or a file",
        "variable": "must be left out: only a server that Archway runs has variables; use a header",
        "file": "must be left out: only a server that Archway runs has files; use a header",
    }
)
"""Why a target cannot be there, where the server takes none of its kind."""


@dataclass(frozen=True, slots=True)
class Field:
    """One question to everyone who installs an entry. `secret` answers are sealed, others are shown."""

    name: str
    type: FieldType
    header: str = ""
    """Lower case; the answer is sent as this header's value."""
    title: str = ""
    description: str = ""
    required: bool = True
    default: Answer | None = None
    options: tuple[str, ...] = ()
    """What a `select` offers."""
    variable: str = ""
    """Of a server that we run: the environment variable that the answer is."""
    file: str = ""
    """Of a server that we run: the file that holds the answer."""

    @property
    def fills_place(self) -> bool:
        """Whether its answer fills the placeholder of its name, in the URL or the command."""
        return self.target is None

    @property
    def target(self) -> Target | None:
        """What its answer fills; None: the placeholder of its name."""
        if self.header:
            return header(self.header)
        if self.variable:
            return Target("variable", self.variable)
        return Target("file", self.file) if self.file else None


@dataclass(frozen=True, slots=True)
class Answers:
    """Checked answers, split by who may see them."""

    plain: dict[str, Answer]
    secret: dict[str, str] = field(repr=False)


def check_fields(
    fields: Sequence[Field],
    taken: Mapping[Target, str],
    policy: AddressPolicy,
    places: Mapping[str, Place] = MappingProxyType({}),
    targets: Collection[TargetKind] = ONLY_HEADERS,
) -> tuple[Field, ...]:
    """The fields with header names in lower case, or BrokenRule.

    Names are unique, and each target is filled by one source only: a field, or what has `taken` it already. Each of
    the placeholders (`places`) is filled by the one field of its name. `targets`: what fields may fill besides.
    """
    if len(fields) > MAX_FIELDS:
        raise BrokenRule("fields", f"has {len(fields)} fields; at most {MAX_FIELDS} are allowed")
    names: set[str] = set()
    filled = dict(taken)
    checked: list[Field] = []
    for number, one in enumerate(fields):
        where = f"fields[{number}]"
        if one.name in names:
            raise BrokenRule(f"{where}.name", f"{one.name!r} is the name of an earlier field; each needs its own")
        names.add(one.name)
        ready = _checked_field(one, where, policy, targets)
        if ready.target is None:
            _check_placed(ready, where, places, targets)
        elif one.name in places:
            stands = f"{_shown(places, one.name)} stands in the {_of(places[one.name])}"
            raise BrokenRule(f"{where}.{ready.target.kind}", f"must be left out: {stands}, and is filled")
        else:
            claim(filled, ready.target, f"the field {one.name!r}", f"{where}.{ready.target.kind}")
        checked.append(ready)
    for name, place in places.items():
        if name not in names:
            wanted = f"has the placeholder {_shown(places, name)}; add a field of that name, without a header"
            raise BrokenRule("url" if _of(place) == "url" else "run.command", wanted)
    return tuple(checked)


def check_answers(
    fields: Sequence[Field], given: Mapping[str, Any], policy: AddressPolicy, where: str = "values"
) -> Answers:
    """The answers to `fields` with defaults filled in; BrokenRule for a missing, unknown or wrong one."""
    known = {one.name: one for one in fields}
    for name in given:
        if name not in known:
            raise BrokenRule(f"{where}.{name[:40]}" if _NAME.match(name) else where, _unknown(known))
    answers = Answers({}, {})
    for one in fields:
        answer = given.get(one.name)
        if answer is None:
            answer = one.default
        if answer is None and one.required:
            raise BrokenRule(f"{where}.{one.name}", f"is needed: {one.title or one.name} ({one.type})")
        if answer is None:
            continue
        checked = _checked_answer(one, answer, f"{where}.{one.name}", policy)
        if one.type == "secret":
            answers.secret[one.name] = str(checked)
        else:
            answers.plain[one.name] = checked
    return answers


def as_text(answer: Answer) -> str:
    """An answer as it is sent: `true`, `false`, a number without a needless `.0`, or the text."""
    if isinstance(answer, bool):
        return "true" if answer else "false"
    if isinstance(answer, float) and answer.is_integer():
        return str(int(answer))
    return str(answer)


def _checked_field(one: Field, where: str, policy: AddressPolicy, targets: Collection[TargetKind]) -> Field:
    if _NAME.fullmatch(one.name) is None:
        raise BrokenRule(f"{where}.name", "must be 1 to 40 of a-z, 0-9 and '_', beginning with a letter")
    if one.name == CREDENTIAL:
        raise BrokenRule(f"{where}.name", f"{CREDENTIAL!r} is the entry's own credential; choose another name")
    if len(one.title) > MAX_TITLE:
        raise BrokenRule(f"{where}.title", f"must have at most {MAX_TITLE} characters")
    ready = _with_target(one, where, targets)
    _check_options(ready, where)
    if ready.default is None:
        return ready
    if ready.type == "secret":
        raise BrokenRule(f"{where}.default", "must not be given for a secret: all who see the entry would see it")
    _checked_answer(ready, ready.default, f"{where}.default", policy)
    return ready


def _with_target(one: Field, where: str, targets: Collection[TargetKind]) -> Field:
    """The field with what it fills in the form that is stored: at most one thing, of a kind that its server takes."""
    given: list[TargetKind] = [kind for kind in get_args(TargetKind) if getattr(one, kind)]
    if len(given) > 1:
        raise BrokenRule(f"{where}.{given[1]}", f"must be left out: the answer goes into the {given[0]} already")
    for kind in given:
        if kind not in targets:
            raise BrokenRule(f"{where}.{kind}", NO_TARGET[kind])
    if one.variable:
        check_variable(one.variable, f"{where}.variable", asked=True)
    if one.file:
        check_file(one.file, f"{where}.file")
    return replace(one, header=check_own_header(one.header, f"{where}.header")) if one.header else one


def _check_placed(one: Field, where: str, places: Mapping[str, Place], targets: Collection[TargetKind]) -> None:
    """Whether a field without a target fills a placeholder, and is always answered with what can stand there."""
    place = places.get(one.name)
    if place is None and targets == ONLY_HEADERS:
        raise BrokenRule(f"{where}.header", f"is needed; without one, the url needs the placeholder {{{one.name}}}")
    if place is None:
        wanted = f"is needed, or another target; without one, the command needs ${{user_config.{one.name}}}"
        raise BrokenRule(f"{where}.variable", wanted)
    if one.type not in _TYPES_PLACED:
        types, other = " or ".join(_TYPES_PLACED), "header" if _of(place) == "url" else "variable"
        raise BrokenRule(
            f"{where}.type", f"fills the {_of(place)}, so it must be {types}; a {other} takes {one.type!r}"
        )
    if not one.required and one.default is None:
        raise BrokenRule(
            f"{where}.required", f"must be true, or give a default: without an answer there is no {_of(place)}"
        )
    given = [(f"{where}.options[{number}]", option) for number, option in enumerate(one.options)]
    if one.default is not None:
        given.append((f"{where}.default", as_text(one.default)))
    for path, text in given:
        wrong = why_no_argument(text) if place == "argument" else why_not(place, text)
        if wrong is not None:
            raise BrokenRule(path, wrong)


def _of(place: Place) -> str:
    return "command" if place == "argument" else "url"


def _shown(places: Mapping[str, Place], name: str) -> str:
    """The placeholder of this name, as it is written there."""
    return f"${{user_config.{name}}}" if places[name] == "argument" else f"{{{name}}}"


def _check_options(one: Field, where: str) -> None:
    if one.type != "select":
        if one.options:
            raise BrokenRule(
                f"{where}.options", f"are allowed only with the type 'select'; leave them out for {one.type!r}"
            )
        return
    if not 1 <= len(one.options) <= MAX_OPTIONS or len(set(one.options)) != len(one.options):
        raise BrokenRule(f"{where}.options", f"needs 1 to {MAX_OPTIONS} different values")
    for number, option in enumerate(one.options):
        check_value(option, f"{where}.options[{number}]")


def claim(filled: dict[Target, str], target: Target, owner: str, where: str) -> None:
    """Note who fills a target; BrokenRule where another source does so already."""
    if target in filled:
        raise BrokenRule(where, f"the {target} is already filled by {filled[target]}; use another")
    filled[target] = owner


def _checked_answer(one: Field, answer: Any, where: str, policy: AddressPolicy) -> Answer:
    if one.type == "boolean":
        if not isinstance(answer, bool):
            raise BrokenRule(where, "must be true or false")
        return answer
    if one.type == "number":
        if isinstance(answer, bool) or not isinstance(answer, (int, float)) or not math.isfinite(answer):
            raise BrokenRule(where, "must be a number")
        return answer
    if not isinstance(answer, str):
        raise BrokenRule(where, "must be text")
    if one.type == "select":
        if answer not in one.options:
            raise BrokenRule(where, f"must be one of {', '.join(one.options)}")
        return answer
    if one.type == "url":
        return _checked_url(answer, where, policy)
    return check_value(answer, where) if one.header or one.fills_place else check_content(answer, where)


def _checked_url(answer: str, where: str, policy: AddressPolicy) -> str:
    try:
        return check_url(answer, policy, purpose="the address")
    except UrlRefused as refused:
        raise BrokenRule(where, str(refused)) from None


def _unknown(known: Mapping[str, Field]) -> str:
    return f"is no field of this entry; it has {', '.join(known) or 'none'}"
