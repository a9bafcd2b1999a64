"""What Archway says of itself at providers of servers: where people come back to, and where its document is (CIMD).

Each entry has a callback and a document of its own. A server that answers with somebody else's provider gets no code
of that provider: the code comes to the callback of another entry than the sign-in began at, and is used for nothing
(mix-up, RFC 9700 section 4.4). Called by `control/replica.py`, and by whoever serves the documents
(`control/oauth/client_document.py`).
"""

from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from control.credentials.upstream_oauth.registration import OurClient
from control.registry.provider_rules import may_be_plain

CALLBACK: Final = "/install/callback"
"""Where providers send people back to, below the address of people's pages; the slug of the entry follows."""
DOCUMENT: Final = "/oauth/clients-of-servers"
"""Where the documents about Archway are served, below the same address; the slug of the entry follows."""


def our_client(pages_url: str) -> OurClient:
    """Of a deployment whose pages are there, before it is said for which entry. Others can read the documents only at
    an https address that is not this machine's own.
    """
    is_public = urlsplit(pages_url).scheme == "https" and not may_be_plain(pages_url)
    return OurClient(
        redirect_uri=f"{pages_url}{CALLBACK}",
        document_url=f"{pages_url}{DOCUMENT}" if is_public else "",
        home=pages_url,
    )


def callback_of(pages_url: str, slug: str) -> str:
    """Where the provider of the entry with this short name sends people back to."""
    return f"{pages_url}{CALLBACK}/{slug}"


def of_entry(ours: OurClient, slug: str) -> OurClient:
    """The client that signs people in for this entry, and for no other."""
    document = f"{ours.document_url}/{slug}" if ours.document_url else ""
    return replace(ours, redirect_uri=f"{ours.redirect_uri}/{slug}", document_url=document)
