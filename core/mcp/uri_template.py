"""Whether a URI is one that a URI template makes (RFC 6570), for the templates that MCP servers list.

Used to find the server behind a URI that stands in no list. A template that is none is nobody's. Variables match
what their expressions may expand to: none of them more than the RFC allows, all of them at least one character.

A server writes its templates, and what is hostile must cost no more than what is not. So nothing is tried and taken
back, as regular expressions do: all places of the URI that a part of the template may end at are followed at once,
as the bits of one number.
"""

import re
from functools import lru_cache
from typing import Final

LONGEST: Final = 2_048
"""Characters of a template, and of a URI that is compared with one."""
MOST_EXPRESSIONS: Final = 20
_EXPRESSION: Final = re.compile(r"\{([+#./;?&]?)[A-Za-z0-9_.%,*:]+\}")
_ENDED_BY: Final = {"": "/?#", "+": "\n", "#": "\n", ".": "/?#", "/": "?#", ";": "/?#", "?": "#", "&": "#"}
"""By the operator of an expression: the characters that what it expands to cannot have."""
_MAY_BE_NOTHING: Final = frozenset("#./;?&")
"""Operators whose expressions may be left out; what they expand to begins with the operator."""
_Part = tuple[str, str]
"""A literal and the operator of the expression behind it."""


def makes(template: str, uri: str) -> bool:
    """Whether `uri` is an expansion of `template`."""
    parts = _parts(template) if max(len(template), len(uri)) <= LONGEST else None
    if parts is None:
        return False
    expressions, last = parts
    places = 1  # a bit for each place in the URI at which what was read of the template may end
    for literal, operator in expressions:
        places = _after_literal(places, literal, uri)
        if not places:
            return False
        places = _after_expression(places, operator, uri)
    left = len(uri) - len(last)
    return left >= 0 and uri.endswith(last) and bool(places >> left & 1)


@lru_cache(maxsize=1_000)
def _parts(template: str) -> tuple[tuple[_Part, ...], str] | None:
    """What a template consists of, and the literal at its end; None for what is none."""
    parts: list[_Part] = []
    at = 0
    for found in _EXPRESSION.finditer(template):
        parts.append((template[at : found.start()], found[1]))
        at = found.end()
    rest = template[at:]
    if len(parts) > MOST_EXPRESSIONS or any("{" in one or "}" in one for one in (rest, *(one for one, _ in parts))):
        return None
    return tuple(parts), rest


def _after_literal(places: int, literal: str, uri: str) -> int:
    if places == 1:  # at the beginning, where most templates part
        return 1 << len(literal) if uri.startswith(literal) else 0
    return (places & _begins(literal, uri)) << len(literal)


def _after_expression(places: int, operator: str, uri: str) -> int:
    may_have = _without(_ENDED_BY[operator], uri)
    if operator not in _MAY_BE_NOTHING:
        return _through((places & may_have) << 1, may_have)
    begun = (places & _begins(operator, uri)) << 1
    return places | _through(begun, may_have)


def _through(places: int, may_have: int) -> int:
    """The places, and those to which characters that may be there lead from them: a sum carries through a run."""
    return (((places & may_have) + may_have) ^ may_have) | places


@lru_cache(maxsize=64)
def _without(characters: str, uri: str) -> int:
    """The places at which none of these characters stands."""
    return sum(1 << at for at, one in enumerate(uri) if one not in characters)


@lru_cache(maxsize=64)
def _begins(literal: str, uri: str) -> int:
    """The places at which a literal begins."""
    if not literal:
        return (1 << (len(uri) + 1)) - 1
    places, at = 0, uri.find(literal)
    while at >= 0:
        places |= 1 << at
        at = uri.find(literal, at + 1)
    return places
