"""Closes what rows of the registry keep secret; `control.credentials.connection.RowSealers` opens it.

Called where an entry or an installation is saved. Each value is bound to its row's identifier, so that a sealed value
that is copied to another row opens for nobody.
"""

from collections.abc import Mapping

import orjson

from control.credentials.connection import FIXED_HEADERS_PURPOSE, SECRET_VALUES_PURPOSE
from core.keys import KeyRing
from core.sealing import Sealer


class RowSeals:
    """Seals under `ARCHWAY_SECRET_KEY`. Nothing to seal gives None, which the row keeps as NULL."""

    def __init__(self, ring: KeyRing) -> None:
        self._fixed = Sealer(ring, FIXED_HEADERS_PURPOSE)
        self._values = Sealer(ring, SECRET_VALUES_PURPOSE)

    def fixed_headers(self, entry_id: str, headers: Mapping[str, str]) -> bytes | None:
        """An entry's fixed headers as its row keeps them."""
        return self._fixed.seal(orjson.dumps(headers), entry_id) if headers else None

    def secret_values(self, installation_id: str, values: Mapping[str, str]) -> bytes | None:
        """An installation's secret answers, the credential among them, as its row keeps them."""
        return self._values.seal(orjson.dumps(values), installation_id) if values else None

    def open_secret_values(self, installation_id: str, sealed: bytes | None) -> dict[str, str]:
        """The same answers, to change some of them; raises SealBroken."""
        found: dict[str, str] = orjson.loads(self._values.open(sealed, installation_id)) if sealed else {}
        return found
