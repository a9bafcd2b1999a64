"""An installation as a proxy may use it: address, headers, and how to speak.

Called by discovery (`control/discovery/`) and by the resolve calls (`control/internal/`), so that what was probed is
what is called. Leaves out who may have it: that is `resolution.py`. Secrets are opened here, on the way into a
sealed answer, and nowhere kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

from control.registry.credentials import CREDENTIAL, credential_headers, placement_of
from control.registry.fields import field_headers, fields_of
from core.keys import KeyRing
from core.resolve import Connection, ConnectionRefusal
from core.sealing import Sealer

FIXED_HEADERS_PURPOSE = "fixed-headers"
"""An entry's fixed headers: a sealed JSON object of header to value, bound to the entry's identifier."""
SECRET_VALUES_PURPOSE = "installation"  # noqa: S105  # the name of a purpose
"""An installation's secret answers: a sealed JSON object of name to value, bound to the installation's identifier."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_pairs = msgspec.json.Decoder(dict[str, str])

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OpenedSecrets:
    """What was sealed in the two rows; never shown."""

    fixed_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


class RowSealers:
    """Opens what `entries` and `installations` keep sealed under `ARCHWAY_SECRET_KEY`."""

    def __init__(self, ring: KeyRing) -> None:
        self._fixed = Sealer(ring, FIXED_HEADERS_PURPOSE)
        self._values = Sealer(ring, SECRET_VALUES_PURPOSE)

    def open(self, entry: Row, installation: Row) -> OpenedSecrets:
        """Both; raises SealBroken where a row was moved, changed, or sealed with a key that is gone."""
        return OpenedSecrets(
            _opened(self._fixed, entry["fixed_headers"], str(entry["id"])),
            _opened(self._values, installation["secret_values"], str(installation["id"])),
        )


def origin_of(url: str) -> str:
    """Scheme, host and port (RFC 6454 section 4), lower case, the scheme's own port left out."""
    parts = urlsplit(url)
    scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" if port in {None, _DEFAULT_PORTS.get(scheme)} else f"{scheme}://{shown}:{port}"


def connection_of(entry: Row, installation: Row, secrets: OpenedSecrets) -> Connection | ConnectionRefusal:
    """The connection, or `needs_sign_in` where the secrets were given for another origin than the entry now has.

    `entry` and `installation` are whole rows of their tables. Headers are lower case; the installation's own (fields
    and credential) go over the entry's fixed ones.
    """
    refusal = why_not_usable(entry, installation)
    if refusal is not None:
        return refusal
    own = field_headers(fields_of(entry["fields"]), installation["plain_values"], secrets.values)
    credential = secrets.values.get(CREDENTIAL)
    if entry["credential_model"] == "static":
        if credential is None:
            return needs_sign_in(entry, installation, "has no credential yet")
        own += credential_headers(placement_of(entry["credential_placement"]), credential)
    return Connection(
        installation_id=str(installation["id"]),
        entry_id=str(entry["id"]),
        entry=entry["slug"],
        owner=owner_of(installation),
        kind=entry["kind"],
        url=entry["url"],
        version=entry["version"] + installation["credential_version"] - 1,
        fixed_headers=sorted(secrets.fixed_headers.items()),
        credential_headers=own,
        protocol=installation["protocol"],
        isolation=entry["isolation"],
        deadline_s=entry["deadline_s"],
    )


def why_not_usable(entry: Row, installation: Row) -> ConnectionRefusal | None:
    """A credential is bound to the origin that it was given for; a moved server does not get it."""
    if installation["state"] == "needs_sign_in":
        return needs_sign_in(entry, installation, "must be given its credential again")
    if installation["secret_names"] and installation["bound_origin"] != origin_of(entry["url"]):
        return needs_sign_in(entry, installation, "was given a credential for another address of this server")
    return None


def needs_sign_in(entry: Row, installation: Row, because: str) -> ConnectionRefusal:
    """The refusal; the caller adds the link, which only a person's settings know."""
    sentence = f"The installation {installation['name']!r} of {entry['name']} {because}."
    return ConnectionRefusal("needs_sign_in", sentence)


def owner_of(installation: Row) -> str:
    """`user:ID`, `team:ID` or `organisation`."""
    if installation["scope"] == "personal":
        return f"user:{installation['user_id']}"
    return f"team:{installation['team_id']}" if installation["scope"] == "team" else "organisation"


def _opened(sealer: Sealer, sealed: bytes | None, owner: str) -> Mapping[str, str]:
    return _pairs.decode(sealer.open(bytes(sealed), owner)) if sealed else {}
