"""The name under which a gateway shows a tool: chosen when the tool is assigned, then stored.

By default `<entry slug>__<tool>`, at most 45 characters, because some clients prefix the name again and the
programming interfaces of models take 64 of `A-Z a-z 0-9 _ -`, some of them only with a letter or `_` in front. Called
by the assignment of tools. Nothing ever parses a name to find its tool: the stored row says which it is.
"""

import re
from collections.abc import Set as AbstractSet
from hashlib import sha256

from control.registry.broken_rule import BrokenRule

MAX_EXPOSED = 64
MAX_DEFAULT = 45
_SEPARATOR = "__"
_HASH_CHARS = 6
_SHORT_SLUG = 16
"""A long slug is cut to this before the tool's name is: the tool's name tells a model more."""

_ALLOWED = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_-]")


def check_exposed_name(name: str, field: str = "exposed_name") -> str:
    """The name as given, or BrokenRule."""
    if _ALLOWED.fullmatch(name) is None:
        allowed = f"1 to {MAX_EXPOSED} of A-Z, a-z, 0-9, '_' and '-', beginning with a letter or '_'"
        raise BrokenRule(field, f"must be {allowed}")
    return name


def default_name(slug: str, tool: str, *, prefix: bool = True) -> str:
    """The name for a tool of the entry `slug`; the same arguments always give the same name.

    Without prefix the tool's own name stands, cut only where it does not fit 64 characters. Characters that
    are not allowed (a dot) become `_`, and `_` stands before a digit or a dash at the beginning. What is cut ends in
    `_` and 6 hex digits of the whole name's hash, so that two long names with one beginning stay two.
    """
    clean = _FORBIDDEN.sub("_", tool)
    if not prefix:
        clean = _begun(clean)
        return clean if len(clean) <= MAX_EXPOSED else _cut(clean, tool, MAX_EXPOSED)
    whole = _begun(slug) + _SEPARATOR + clean
    if len(whole) <= MAX_DEFAULT:
        return whole
    short = _begun(slug)[:_SHORT_SLUG].rstrip("-")
    return _cut(short + _SEPARATOR + clean, slug + _SEPARATOR + tool, MAX_DEFAULT)


def free_name(wanted: str, taken: AbstractSet[str], *identity: str) -> str:
    """`wanted`, or where the gateway has that name already, `wanted` with 6 hex digits of the hash of `identity`.

    `identity` is what makes this assignment another one: the entry, the tool, the installation. Raises BrokenRule
    if even that name is taken: then a person has to choose.
    """
    if wanted not in taken:
        return wanted
    other = _cut(wanted, "\n".join(identity), max(len(wanted), MAX_DEFAULT))
    if other in taken:
        raise BrokenRule("exposed_name", f"{wanted} and {other} are both taken on this gateway; give a name yourself")
    return other


def _begun(text: str) -> str:
    return text if _ALLOWED.match(text) else f"_{text}"


def _cut(text: str, identity: str, limit: int) -> str:
    mark = sha256(identity.encode()).hexdigest()[:_HASH_CHARS]
    return f"{text[: limit - _HASH_CHARS - 1]}_{mark}"
