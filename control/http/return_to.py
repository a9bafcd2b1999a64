"""Where a person is taken after signing in: a path of ours, and nothing else.

Called by the sign-in pages with what their URL or form says. Whatever a browser could take for another site (RFC 3986
section 4.2, and what browsers make of backslashes and control characters) is not followed.
"""

import re
from typing import Final
from urllib.parse import quote

HOME: Final = "/"
"""Where a person who wanted nothing else is taken."""
_LONGEST: Final = 4_096
"""An authorization request of an OAuth client is carried in it."""
_LOCAL: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""A path: one slash, then printable ASCII without a backslash."""


def local_path(text: str | None) -> str:
    """The path, or the usual one where this is none of ours."""
    if not text or len(text) > _LONGEST or _LOCAL.fullmatch(text) is None:
        return HOME
    return text


def sign_in_url(back_to: str) -> str:
    """The sign-in page that leads back to a path of ours."""
    return f"/sign-in?return_to={quote(local_path(back_to), safe='/')}"
