"""What an entry's server is told of the caller, by Archway's word: a signed statement, or headers with names.

Kept by an entry as one JSON object. Made for a call by `control/credentials/statement.py`; a caller's own copies of
these headers reach no server.
"""

from collections.abc import Collection, Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec.structs import replace

from control.registry.broken_rule import BrokenRule
from control.registry.headers import check_own_header
from core.egress.header_names import look_alike

Told = Literal["subject", "email", "name", "teams", "gateway", "tool"]
"""What can be said of a call; the request identifier goes beside it, since it is another for each call."""


class CallerStatement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an entry's server is told of each caller, and in which headers: a signed statement, or plain text."""

    form: Annotated[
        Literal["jwt", "headers"],
        msgspec.Meta(description="`jwt`: a statement that Archway signs, good for a minute; `headers`: plain text."),
    ] = "jwt"
    header: Annotated[str, msgspec.Meta(max_length=64, description="With `jwt`: the header that carries it.")] = (
        "x-archway-caller"
    )
    tells: Annotated[
        tuple[Told, ...], msgspec.Meta(max_length=6, description="With `jwt`: its claims. `subject` is always there.")
    ] = ("subject",)
    headers: Annotated[
        dict[Told, str], msgspec.Meta(max_length=6, description="With `headers`: what is told, to the header's name.")
    ] = {}
    request_id_header: Annotated[
        str, msgspec.Meta(max_length=64, description="The header that tells the request's identifier; empty: none.")
    ] = ""


_FAMILY: Final = "x-archway-"
"""Names of ours: no caller's header of one goes on, and no entry sends one itself."""
_FORWARDED: Final = frozenset(
    {"x-forwarded-user", "x-forwarded-email", "x-forwarded-preferred-username", "x-forwarded-groups"}
)
"""By which servers behind a proxy are used to hear who calls: never a caller's to write, so Archway may."""
_FIELD: Final = "caller_statement"
_USUAL: Final = CallerStatement()


def names_of(statement: CallerStatement) -> tuple[str, ...]:
    """The headers that it uses, in the form that is stored."""
    told = (statement.header,) if statement.form == "jwt" else tuple(statement.headers.values())
    return (*told, statement.request_id_header) if statement.request_id_header else told


def check_caller_statement(
    wanted: CallerStatement, others: Mapping[str, str], *, takes_headers: bool, isolation: str
) -> CallerStatement:
    """As an entry may be saved with it, or BrokenRule. `others`: the other headers that its server gets, lower case,
    and by whose word. `isolation`: who shares a session with the server.
    """
    if not takes_headers:
        raise BrokenRule(_FIELD, "must be left out: no header reaches a program over stdio")
    if isolation == "shared":
        raise BrokenRule(
            "isolation", "must be 'principal' or 'client_session': what a server is told of one caller, at the "
            "beginning of a session that all share, it would take for all",
        )  # fmt: skip
    if wanted.form == "jwt" and wanted.headers:
        raise BrokenRule(f"{_FIELD}.headers", "go with the form 'headers'; leave them out, or change the form")
    if wanted.form == "headers" and not (wanted.headers or wanted.request_id_header):
        raise BrokenRule(f"{_FIELD}.headers", "must name a header for something that is told, such as email")
    checked = replace(
        wanted,
        header=_name(wanted.header, f"{_FIELD}.header") if wanted.form == "jwt" else _USUAL.header,
        tells=tuple(dict.fromkeys(wanted.tells)) if wanted.form == "jwt" else _USUAL.tells,
        headers={told: _plain_name(name, f"{_FIELD}.headers.{told}") for told, name in wanted.headers.items()},
        request_id_header=_plain_name(wanted.request_id_header, f"{_FIELD}.request_id_header")
        if wanted.request_id_header
        else "",
    )
    _check_apart(names_of(checked), others)
    return checked


def _name(given: str, field: str) -> str:
    """The name in lower case of a header that Archway sends by its own word."""
    lower = given.lower()
    if lower in _FORWARDED:
        return lower
    inside = lower.removeprefix(_FAMILY)
    if inside != lower and inside:
        return _FAMILY + check_own_header(inside, field)
    return check_own_header(given, field)


def _plain_name(given: str, field: str) -> str:
    name = _name(given, field)
    if name == "authorization":
        raise BrokenRule(field, "authorization carries a credential; use another header")
    return name


def _check_apart(names: Collection[str], others: Mapping[str, str]) -> None:
    """No two that some server may read as one: a caller who fills in one of them would speak for Archway."""
    taken = {look_alike(name): whose for name, whose in others.items()}
    for name in names:
        whose = taken.get(look_alike(name))
        if whose is not None:
            raise BrokenRule(_FIELD, f"{name} is already filled by {whose}, or looks the same; use another header")
        taken[look_alike(name)] = "another of its headers"
