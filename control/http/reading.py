"""Reads path, query and body of a request into models; each refusal names its fields as a person would.

Called by `control/admin/api.py` for each operation. Bodies are JSON, at most 1 MiB, and must arrive within ten
seconds.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from control.http.problems import FieldError, Problem

MAX_BODY: Final = 1 << 20
BODY_WITHIN_S: Final = 10.0
MOST_ERRORS: Final = 50
_LONGEST_NAME: Final = 64
_SENTENCES: Final = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "json_invalid": "is not JSON",
    "recursion_loop": "is nested too deeply",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number, and not as large",
    "int_from_float": "must be a whole number",
    "int_type": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_long": "must have at most {max_length} items",
    "too_short": "must have at least {min_length} items",
    "literal_error": "must be {expected}",
}
"""What is said of a value, by pydantic's kind of error; in braces the limits of the field, never what was sent."""
_ONE_OF_MANY: Final = re.compile(r"\b1 (character|item)s\b")
M = TypeVar("M", bound=BaseModel)


def read_path(model: type[BaseModel], path: dict[str, str]) -> dict[str, Any]:
    """The path's parameters, checked."""
    return dict(checked(model, path))


def read_query(model: type[M], request: web.Request) -> M:
    """The query string, checked; a parameter given twice is refused, since nobody can tell which was meant."""
    given: dict[str, str] = {}
    for name, value in request.query.items():
        if name in given:
            raise _problem([FieldError(_cut(name), "is given twice")])
        given[name] = value
    return checked(model, given)


async def read_body(model: type[M], request: web.Request) -> M:
    """The body, checked."""
    raw = await _read(request)
    if b"\\u0000" in raw:
        _refuse_nul(_parsed(raw))
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise _problem(_errors(error, _parsed(raw))) from None


async def _read(request: web.Request) -> bytes:
    if request.content_type != "application/json" or request.charset not in {None, "utf-8", "UTF-8"}:
        raise Problem(415, "The body must be JSON in UTF-8: send Content-Type: application/json.")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem(415, "The body must not be compressed: send it without Content-Encoding.")
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            return await request.read()
    except TimeoutError:
        raise Problem(408, f"The body did not arrive within {BODY_WITHIN_S:.0f} seconds.") from None
    except web.HTTPRequestEntityTooLarge:
        raise Problem(413, f"The body is larger than {MAX_BODY} bytes.") from None


def checked(model: type[M], given: dict[str, Any]) -> M:
    """The model of these values, of a query, a path or a form; raises Problem that names the fields at fault."""
    _refuse_nul(given)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _problem(_errors(error, given)) from None


def _refuse_nul(given: Any, path: str = "") -> None:
    """Raise Problem for U+0000 anywhere: PostgreSQL keeps no text with it. Depth is bounded by the parser's."""
    if isinstance(given, str) and "\0" in given:
        raise _problem([FieldError(path.lstrip(".") or "body", "must not hold the character U+0000")])
    if isinstance(given, dict):
        for name, value in given.items():
            _refuse_nul(name, path)
            _refuse_nul(value, f"{path}.{_cut(name)}")
    if isinstance(given, list):
        for number, value in enumerate(given):
            _refuse_nul(value, f"{path}[{number}]")


def _problem(errors: Sequence[FieldError]) -> Problem:
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Problem(422, f"{errors[0].field}: {errors[0].message}{more}", errors)


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None


def _errors(error: ValidationError, given: Any) -> list[FieldError]:
    found = error.errors(include_url=False, include_input=False)
    return [FieldError(field_path(one["loc"], given), sentence(one)) for one in found[:MOST_ERRORS]]


def sentence(error: ErrorDetails) -> str:
    """What is wrong with a value, and what would be right."""
    known = _SENTENCES.get(error["type"])
    if known is None:
        return _lowered(error["msg"])
    return _ONE_OF_MANY.sub(r"1 \1", known.format_map(error.get("ctx", {})))


def field_path(location: Sequence[str | int], given: Any) -> str:
    """`("fields", 0, "name")` as `fields[0].name`, without the names of alternatives that pydantic puts between."""
    path, here = "", given
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
            here = here[part] if isinstance(here, list) and part < len(here) else None
        elif isinstance(here, dict) and (part in here or part == location[-1]):
            path += f".{_cut(part)}"
            here = here.get(part)
    return path.lstrip(".") or "body"


def _lowered(sentence: str) -> str:
    sentence = sentence.removeprefix("Value error, ").removeprefix("Input ")
    return sentence[:1].lower() + sentence[1:]


def _cut(name: str) -> str:
    visible = "".join(char if char.isprintable() else "?" for char in name[:_LONGEST_NAME])
    return visible if len(name) <= _LONGEST_NAME else visible + "…"
