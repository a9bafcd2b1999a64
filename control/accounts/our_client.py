"""What Archway says of itself at providers of servers: where people come back to, and where its document is (CIMD).

Called by `control/replica.py`, and by whoever serves the document (`control/oauth/client_document.py`).
"""

from typing import Final
from urllib.parse import urlsplit

from control.credentials.upstream_oauth.registration import OurClient
from control.registry.provider_rules import may_be_plain

CALLBACK: Final = "/install/callback"
"""Where providers send people back to, below the address of people's pages."""
DOCUMENT: Final = "/oauth/client-metadata.json"
"""Where the document about Archway is served, below the same address."""


def our_client(pages_url: str) -> OurClient:
    """Of a deployment whose pages are there. Others can read the document only at an https address that is not this
    machine's own.
    """
    is_public = urlsplit(pages_url).scheme == "https" and not may_be_plain(pages_url)
    return OurClient(
        redirect_uri=f"{pages_url}{CALLBACK}",
        document_url=f"{pages_url}{DOCUMENT}" if is_public else "",
        home=pages_url,
    )
