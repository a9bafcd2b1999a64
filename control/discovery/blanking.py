"""Takes secrets out of what a server says: it may repeat the credential that it was sent. Pure.

Called by `discover.py` with texts that are not cut yet, or were cut by a proxy: a secret of which only the beginning
is left at the end of a text is taken out too.
"""

import json
from base64 import b64encode
from collections.abc import Collection, Sequence
from typing import Final
from urllib.parse import quote

SEALED: Final = "<sealed>"
FEWEST_TELLING: Final = 6
"""Characters of a secret that is worth hiding in texts; a shorter one would blank ordinary words."""


def written_in_texts(secrets: Collection[str]) -> list[str]:
    """The secrets in each form in which a server may write them down, the longest first."""
    found = set()
    for secret in secrets:
        if len(secret) >= FEWEST_TELLING:
            found |= {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
            found |= {quote(secret), quote(secret, safe=""), b64encode(secret.encode()).decode().rstrip("=")}
            found |= {" ".join(secret.split())}
    return sorted(found, key=len, reverse=True)


def blanked(text: str, secrets: Sequence[str]) -> str:
    """The text without these secrets."""
    for secret in secrets:
        text = text.replace(secret, SEALED)
    for secret in secrets:
        at = text.find(secret[:FEWEST_TELLING])
        while at >= 0 and not secret.startswith(text[at:]):
            at = text.find(secret[:FEWEST_TELLING], at + 1)
        if at >= 0:
            text = text[:at] + SEALED
    return text
