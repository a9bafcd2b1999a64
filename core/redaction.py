"""Takes secrets out of what a server prints or a cluster says of it, in the forms in which programs print them."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

SHORTEST: Final = 4
"""Characters of a value that is taken out; a shorter one is a part of too many words."""
_SHORTEST_LINE: Final = 12
"""Characters of a line of a secret with several lines, such as a private key, that is taken out by itself."""
REDACTED: Final = "[redacted]"


class Redaction:
    """Replaces some values in texts; `secrets` may have several lines each."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        # The longest first: a secret may begin with another one.
        text = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
        self._pattern = re.compile(text) if text else None

    def __call__(self, text: str) -> str:
        """The text without them."""
        return text if self._pattern is None else self._pattern.sub(REDACTED, text)


def _forms(secret: str) -> Iterator[str]:
    if len(secret) < SHORTEST:
        return
    encoded = base64.b64encode(secret.encode(errors="surrogateescape")).decode().rstrip("=")
    yield from (secret, json.dumps(secret)[1:-1], quote(secret, safe="", errors="replace"), encoded)
    if "\n" in secret:
        yield from (line.strip() for line in secret.splitlines() if len(line.strip()) >= _SHORTEST_LINE)
