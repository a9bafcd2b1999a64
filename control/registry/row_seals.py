"""What rows of the registry keep secret: closed where an entry or an installation is saved, opened where it is used.

Each value is bound to its row's identifier, so that a sealed value that is copied to another row opens for nobody.
Called by the admin API, discovery and the resolve calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from core.keys import KeyRing
from core.sealing import Sealer

FIXED_HEADERS_PURPOSE = "fixed-headers"
"""An entry's fixed headers: a sealed JSON object of header to value, bound to the entry's identifier."""
SECRET_VALUES_PURPOSE = "installation"  # noqa: S105  # the name of a purpose
"""An installation's secret answers: a sealed JSON object of name to value, bound to the installation's identifier."""

_pairs = msgspec.json.Decoder(dict[str, str])

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OpenedSecrets:
    """What was sealed in the two rows; never shown."""

    fixed_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


class RowSeals:
    """Seals and opens under `ARCHWAY_SECRET_KEY`. Nothing to seal gives None, which the row keeps as NULL."""

    def __init__(self, ring: KeyRing) -> None:
        self._fixed = Sealer(ring, FIXED_HEADERS_PURPOSE)
        self._values = Sealer(ring, SECRET_VALUES_PURPOSE)

    def fixed_headers(self, entry_id: str, headers: Mapping[str, str]) -> bytes | None:
        """An entry's fixed headers as its row keeps them."""
        return self._fixed.seal(msgspec.json.encode(headers), entry_id) if headers else None

    def secret_values(self, installation_id: str, values: Mapping[str, str]) -> bytes | None:
        """An installation's secret answers, the credential among them, as its row keeps them."""
        return self._values.seal(msgspec.json.encode(values), installation_id) if values else None

    def open_secret_values(self, installation_id: str, sealed: bytes | None) -> dict[str, str]:
        """The same answers, to change some of them; raises SealBroken."""
        return _opened(self._values, sealed, installation_id)

    def open(self, entry: Row, installation: Row) -> OpenedSecrets:
        """Both rows' secrets; raises SealBroken where one was moved, changed, or sealed with a key that is gone."""
        return OpenedSecrets(
            _opened(self._fixed, entry["fixed_headers"], str(entry["id"])),
            _opened(self._values, installation["secret_values"], str(installation["id"])),
        )


def _opened(sealer: Sealer, sealed: bytes | None, owner: str) -> dict[str, str]:
    return _pairs.decode(sealer.open(bytes(sealed), owner)) if sealed else {}
