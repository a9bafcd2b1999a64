"""Secrets as the planes are told them, in the place of those that somebody makes before an installation."""

from __future__ import annotations

from archway.up.keys_file import KEY_NAMES, verify_keys
from core.keys import new_key


def secrets_of_a_deployment() -> dict[str, str]:
    """Fresh keys, and connections that lead nowhere."""
    keys = {name: new_key() for name in KEY_NAMES}
    return {
        **keys,
        "ARCHWAY_VERIFY_KEYS": verify_keys(keys["ARCHWAY_SIGNING_KEY"]),
        "ARCHWAY_DATABASE_URL": "postgresql://archway:x@postgres.example.com/archway",
        "ARCHWAY_REDIS_URL": "rediss://:x@redis.example.com",
    }
