"""The deployment's keys, made once at the first start and kept in `<state>/keys.env`, mode 0600.

What is sealed in the database opens only with these, so they outlive every restart. A key given in the environment
wins over the file, as it does in production.
"""

from collections.abc import Mapping
from pathlib import Path

from archway.private_files import write_private
from core.keys import new_key, parse_key_ring, refuse_repeats
from core.signing import Signer

KEY_NAMES = ("ARCHWAY_SECRET_KEY", "ARCHWAY_PROXY_KEY", "ARCHWAY_SIGNING_KEY")


def keys_for(path: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The three keys and `ARCHWAY_VERIFY_KEYS`, made where missing; raises BadKey for one that must not be used."""
    kept = read_keys(path)
    keys = {name: environment.get(name) or kept.get(name) or "" for name in KEY_NAMES}
    made = {name: new_key() for name in KEY_NAMES if not keys[name]}
    if made:
        kept.update(made)
        keys.update(made)
        write_private(path, _text(kept))
    refuse_repeats({name: parse_key_ring(name, text) for name, text in keys.items()})
    return keys | {"ARCHWAY_VERIFY_KEYS": verify_keys(keys["ARCHWAY_SIGNING_KEY"])}


def read_keys(path: Path) -> dict[str, str]:
    """The keys in the file, empty where there is none yet."""
    if not path.exists():
        return {}
    lines = (line.partition("=") for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, separator, value in lines if separator}


def verify_keys(signing_key: str) -> str:
    """The public halves that belong to a signing key, in the form of `ARCHWAY_VERIFY_KEYS`."""
    return Signer(parse_key_ring("ARCHWAY_SIGNING_KEY", signing_key)).public_keys


def _text(keys: Mapping[str, str]) -> bytes:
    head = (
        "# Keys of this deployment. Whoever has them can open every stored credential. Keep a copy somewhere safe.\n"
    )
    return (head + "".join(f"{name}={value}\n" for name, value in keys.items())).encode()
