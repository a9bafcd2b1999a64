"""No credential: the server is open to whoever reaches it."""

from collections.abc import Collection, Mapping

from control.registry.broken_rule import BrokenRule
from control.registry.credential import CheckedCredential, Cure, NoCredential


def check(credential: NoCredential) -> CheckedCredential:
    """Whether an entry may be saved with no credential: always."""
    return CheckedCredential(credential, ())


def take(_: NoCredential, given: str | None, _earlier: Mapping[str, str], entry_name: str) -> dict[str, str]:
    """No secrets; BrokenRule for a credential that is given all the same: it would never be sent."""
    if given is not None:
        raise BrokenRule("credential", f"is not accepted by {entry_name} (credential model 'none'); leave it out")
    return {}


def headers(_: NoCredential, _secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    """No headers: there is no credential to carry."""
    return []


def places(_: NoCredential) -> dict[str, str]:
    """No places ({}): no secret is sent."""
    return {}


def cure(_: NoCredential, _held: Collection[str]) -> Cure | None:
    """No cure (None): nothing can be missing."""
    return None
