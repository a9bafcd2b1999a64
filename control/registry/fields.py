"""Install-time fields: what an entry asks of everyone who installs it, and the check of what they answer.

Called when an entry is saved (`check_fields`), when an installation is filled in (`check_answers`) and when
one is resolved (`field_headers`). A field fills a request header, or the placeholder of its name in the entry's URL
(`url_template.py`): one of the two, and a secret only a header, since URLs are written into logs.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Literal

from control.registry.broken_rule import BrokenRule
from control.registry.credential import CREDENTIAL
from control.registry.headers import check_own_header, check_value
from control.registry.url_template import UrlPart, why_not
from core.egress.addresses import AddressPolicy, UrlRefused, check_url

FieldType = Literal["string", "number", "boolean", "url", "secret", "select"]
Answer = str | int | float | bool

MAX_FIELDS = 32
MAX_OPTIONS = 100
MAX_TITLE = 200
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TYPES_IN_URL: Final = ("string", "select", "number")


@dataclass(frozen=True, slots=True)
class Field:
    """One question to everyone who installs an entry. `secret` answers are sealed, others are shown."""

    name: str
    type: FieldType
    header: str = ""
    """Lower case; the answer is sent as this header's value. '': it fills the placeholder `{name}` of the URL."""
    title: str = ""
    description: str = ""
    required: bool = True
    default: Answer | None = None
    options: tuple[str, ...] = ()
    """What a `select` offers."""

    @property
    def fills_url(self) -> bool:
        """Whether its answer is a part of the URL, and goes into no header."""
        return not self.header


@dataclass(frozen=True, slots=True)
class Answers:
    """Checked answers, split by who may see them."""

    plain: dict[str, Answer]
    secret: dict[str, str] = field(repr=False)


def check_fields(
    fields: Sequence[Field],
    of_credential: Iterable[str],
    fixed_headers: Iterable[str],
    policy: AddressPolicy,
    places: Mapping[str, UrlPart] = MappingProxyType({}),
) -> tuple[Field, ...]:
    """The fields with header names in lower case, or BrokenRule.

    Names are unique and headers are filled by one source only: a field, the credential (`of_credential`), or the
    fixed headers. Each of the URL's placeholders (`places`) is filled by the one field of its name.
    """
    if len(fields) > MAX_FIELDS:
        raise BrokenRule("fields", f"has {len(fields)} fields; at most {MAX_FIELDS} are allowed")
    names: set[str] = set()
    headers = dict.fromkeys(fixed_headers, "the entry's fixed headers")
    for name in of_credential:
        _claim(headers, name, "the credential", "credential")
    checked: list[Field] = []
    for number, one in enumerate(fields):
        where = f"fields[{number}]"
        if one.name in names:
            raise BrokenRule(f"{where}.name", f"{one.name!r} is the name of an earlier field; each needs its own")
        names.add(one.name)
        ready = _checked_field(one, where, policy)
        if ready.fills_url:
            _check_of_url(ready, where, places)
        elif one.name in places:
            raise BrokenRule(f"{where}.header", f"must be left out: {{{one.name}}} stands in the url, and is filled")
        else:
            _claim(headers, ready.header, f"the field {one.name!r}", f"{where}.header")
        checked.append(ready)
    for name in places:
        if name not in names:
            raise BrokenRule("url", f"has the placeholder {{{name}}}; add a field of that name, without a header")
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


def field_headers(
    fields: Sequence[Field], plain: Mapping[str, Any], secret: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The headers that an installation's answers fill, in the order of the fields. Unanswered ones give none."""
    found: list[tuple[str, str]] = []
    for one in fields:
        if one.fills_url:
            continue
        answer = secret.get(one.name) if one.type == "secret" else plain.get(one.name)
        if answer is not None:
            found.append((one.header, as_text(answer)))
    return found


def as_text(answer: Answer) -> str:
    """An answer as it is sent: `true`, `false`, a number without a needless `.0`, or the text."""
    if isinstance(answer, bool):
        return "true" if answer else "false"
    if isinstance(answer, float) and answer.is_integer():
        return str(int(answer))
    return str(answer)


def _checked_field(one: Field, where: str, policy: AddressPolicy) -> Field:
    if _NAME.fullmatch(one.name) is None:
        raise BrokenRule(f"{where}.name", "must be 1 to 40 of a-z, 0-9 and '_', beginning with a letter")
    if one.name == CREDENTIAL:
        raise BrokenRule(f"{where}.name", f"{CREDENTIAL!r} is the entry's own credential; choose another name")
    if len(one.title) > MAX_TITLE:
        raise BrokenRule(f"{where}.title", f"must have at most {MAX_TITLE} characters")
    header = check_own_header(one.header, f"{where}.header") if one.header else ""
    ready = replace(one, header=header)
    _check_options(ready, where)
    if ready.default is None:
        return ready
    if ready.type == "secret":
        raise BrokenRule(f"{where}.default", "must not be given for a secret: all who see the entry would see it")
    _checked_answer(ready, ready.default, f"{where}.default", policy)
    return ready


def _check_of_url(one: Field, where: str, places: Mapping[str, UrlPart]) -> None:
    """Whether a field without a header fills a placeholder, and is always answered with what can stand there."""
    if one.name not in places:
        raise BrokenRule(f"{where}.header", f"is needed; without one, the url needs the placeholder {{{one.name}}}")
    if one.type not in _TYPES_IN_URL:
        raise BrokenRule(
            f"{where}.type", f"fills the url, so it must be {' or '.join(_TYPES_IN_URL)}; a header takes {one.type!r}"
        )
    if not one.required and one.default is None:
        raise BrokenRule(f"{where}.required", "must be true, or give a default: without an answer there is no url")
    given = [(f"{where}.options[{number}]", option) for number, option in enumerate(one.options)]
    if one.default is not None:
        given.append((f"{where}.default", as_text(one.default)))
    for path, text in given:
        wrong = why_not(places[one.name], text)
        if wrong is not None:
            raise BrokenRule(path, wrong)


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


def _claim(headers: dict[str, str], name: str, owner: str, where: str) -> None:
    if name in headers:
        raise BrokenRule(where, f"the header {name} is already filled by {headers[name]}; use another")
    headers[name] = owner


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
    return check_value(answer, where)


def _checked_url(answer: str, where: str, policy: AddressPolicy) -> str:
    try:
        return check_url(answer, policy, purpose="the address")
    except UrlRefused as refused:
        raise BrokenRule(where, str(refused)) from None


def _unknown(known: Mapping[str, Field]) -> str:
    return f"is no field of this entry; it has {', '.join(known) or 'none'}"
