"""Which headers a person may configure: names on a gateway's allowlist, names and values on an entry.

Called when a gateway or an entry is saved. Which names those are says `core/egress/header_names.py`, for proxies too;
here are the numbers, the spelling that is stored, and what is said of a name that must not stand.
"""

from collections.abc import Mapping, Sequence

from control.registry.broken_rule import BrokenRule
from core.egress.header_names import why_no_name, why_not_passed, why_not_set
from core.mcp.header_values import safe_header_value

MAX_ALLOWLIST = 32
MAX_FIXED_HEADERS = 32
MAX_VALUE = 16_384
"""Characters: tokens that list somebody's groups have more than 8,192."""


def check_allowlist(names: Sequence[str], field: str = "header_allowlist") -> list[str]:
    """The names in lower case, sorted, once each; BrokenRule for the first that must not be passed on."""
    if len(names) > MAX_ALLOWLIST:
        raise BrokenRule(field, f"has {len(names)} names; at most {MAX_ALLOWLIST} are allowed")
    for number, given in enumerate(names):
        _check_name(given, f"{field}[{number}]")
        reason = why_not_passed(given)
        if reason is not None:
            raise BrokenRule(f"{field}[{number}]", f"{given.lower()} {reason}; remove it")
    return sorted({name.lower() for name in names})


def check_own_header(name: str, field: str) -> str:
    """The name in lower case of a header that an entry itself sends (fixed, of a field, of its credential)."""
    _check_name(name, field)
    reason = why_not_set(name)
    if reason is not None:
        raise BrokenRule(field, f"{name.lower()} {reason}; use another header")
    return name.lower()


def check_fixed_headers(headers: Mapping[str, str], field: str = "fixed_headers") -> dict[str, str]:
    """Header to value with names in lower case, sorted; BrokenRule names the header, never its value."""
    if len(headers) > MAX_FIXED_HEADERS:
        raise BrokenRule(field, f"has {len(headers)} headers; at most {MAX_FIXED_HEADERS} are allowed")
    checked: dict[str, str] = {}
    for number, (given, value) in enumerate(headers.items()):
        # A name that is no token is not repeated in the path: it may be a value that somebody put in the wrong place.
        name = check_own_header(given, f"{field}[{number}]")
        if name in checked:
            raise BrokenRule(f"{field}.{name}", "is given twice in different case; keep one")
        checked[name] = check_value(value, f"{field}.{name}")
    return dict(sorted(checked.items()))


def check_value(value: str, field: str) -> str:
    """A header's value as it may be sent; BrokenRule without repeating it."""
    if not value or len(value) > MAX_VALUE:
        raise BrokenRule(field, f"must have 1 to {MAX_VALUE} characters")
    try:
        return safe_header_value(value)
    except ValueError as unsafe:
        raise BrokenRule(field, str(unsafe)) from None


def _check_name(name: str, field: str) -> None:
    wrong = why_no_name(name)
    if wrong is not None:
        raise BrokenRule(field, wrong)
