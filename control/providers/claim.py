"""One claim of what a provider says of somebody, by its name or by its path. Pure.

Called for identity providers and for the accounts of upstreams. Leaves out what a claim is worth.
"""

from collections.abc import Mapping
from typing import Any


def claim(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of this name; one that has dots may also be a path, such as `realm_access.roles`. None: not there."""
    if not name or name in claims:
        return claims.get(name)
    found: Any = claims
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found
