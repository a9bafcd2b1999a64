"""The keys in what a provider publishes (JWK Set, RFC 7517): which of them tokens are checked with. Pure.

Called by `key_sets.py`. Which single key is fit is judged by `core/jwk.py`; here a whole answer becomes keys, or is
refused whole, so that nothing broken ever takes the place of keys that were good.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from control.providers.asking import ProviderAway
from core.jwk import usable_keys
from core.key_sets import PublicKey


@dataclass(frozen=True, slots=True)
class FoundKeys:
    """What an issuer's answer holds: keys to check with, and why others in it are left out."""

    keys: tuple[PublicKey, ...]
    skipped: tuple[str, ...]


def keys_in(answer: Mapping[str, Any], algorithms: Collection[str]) -> FoundKeys:
    """The keys of an answer; raises ProviderAway for one without any that can be used."""
    listed = answer.get("keys")
    if not isinstance(listed, list):
        raise ProviderAway("what is at its jwks_uri is no set of keys")
    found = usable_keys(listed, algorithms)
    if not found.keys:
        why = f" ({found.skipped[0]})" if found.skipped else ""
        raise ProviderAway(f"it publishes no key that can be used with the algorithms that are allowed{why}")
    return FoundKeys(tuple(PublicKey(**key) for key in found.keys), found.skipped)  # type: ignore[arg-type] # `kty` was checked
