"""Whether a URI is one that a URI template makes (RFC 6570), for the templates that MCP servers list.

Used to find the server behind a URI that stands in no list. A template that is none is nobody's. Variables match
what their expressions may expand to: none of them more than the RFC allows, all of them at least one character.
"""

import re
from functools import lru_cache
from typing import Final

LONGEST: Final = 2_048
"""Characters of a template, and of a URI that is compared with one."""
MOST_EXPRESSIONS: Final = 20
_EXPRESSION: Final = re.compile(r"\{([+#./;?&]?)[A-Za-z0-9_.%,*:]+\}")
_MATCHED_BY: Final = {
    "": r"[^/?#]+",
    "+": r".+",
    "#": r"(?:#.*)?",
    ".": r"(?:\.[^/?#]*)?",
    "/": r"(?:/[^?#]*)?",
    ";": r"(?:;[^/?#]*)?",
    "?": r"(?:\?[^#]*)?",
    "&": r"(?:&[^#]*)?",
}
"""By the operator of an expression. Path parameters, queries and the like may be left out."""


def makes(template: str, uri: str) -> bool:
    """Whether `uri` is an expansion of `template`."""
    pattern = _pattern(template) if max(len(template), len(uri)) <= LONGEST else None
    return pattern is not None and pattern.fullmatch(uri) is not None


@lru_cache(maxsize=1_000)
def _pattern(template: str) -> re.Pattern[str] | None:
    parts: list[str] = []
    at = 0
    for found in _EXPRESSION.finditer(template):
        parts += [re.escape(template[at : found.start()]), _MATCHED_BY[found[1]]]
        at = found.end()
    rest = template[at:]
    if len(parts) > 2 * MOST_EXPRESSIONS or "{" in rest or "}" in rest:
        return None
    return re.compile("".join([*parts, re.escape(rest)]))
