"""The URL of a link that signs a person in once, and its secret. Called by whoever makes one."""

import secrets
from typing import Final

LINK_PATH: Final = "/sign-in/link/"
_SECRET_BYTES: Final = 32


def new_link_secret() -> str:
    """A secret that nobody can guess."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def link_url(pages_url: str, secret: str) -> str:
    """Where the person goes; `pages_url` is from the settings, never from a request."""
    return f"{pages_url}{LINK_PATH}{secret}"
