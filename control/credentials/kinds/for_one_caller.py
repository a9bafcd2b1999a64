"""What the kinds have in common of which each caller's credential is another (`ForOneCaller`).

An installation brings and holds nothing of them, so it can lack nothing, and no secret of its own goes anywhere. The
file of each kind has these functions as its own; what its entries may say is there.
"""

from collections.abc import Collection, Mapping

from control.registry.broken_rule import BrokenRule
from control.registry.credential import ACCESS_TOKEN, Cure, ForOneCaller


def take(_: ForOneCaller, given: str | None, _earlier: Mapping[str, str], entry_name: str) -> dict[str, str]:
    """No secrets; BrokenRule for a credential that is given all the same: it would never be sent."""
    if given is not None:
        raise BrokenRule("credential", f"is not accepted by {entry_name}: it gets what is the caller's; leave it out")
    return {}


def headers(_: ForOneCaller, secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    """The one header that carries the token which a provider gave for the caller; none where nobody calls."""
    return [("authorization", f"Bearer {secrets[ACCESS_TOKEN]}")] if ACCESS_TOKEN in secrets else []


def places(_: ForOneCaller) -> dict[str, str]:
    """No places ({}): an installation holds no secret of it."""
    return {}


def cure(_: ForOneCaller, _held: Collection[str]) -> Cure | None:
    """No cure (None): nothing of the installation can be missing."""
    return None
