"""The grammar of HTTP headers that all of Archway goes by: which names, which values, which names twice.

Imported by whoever reads headers (both lanes and the stage `admit`, tools' own `x-mcp-header`) and by whoever writes
them (both clients). Each compiles what it needs, of text or of bytes. What a value means is left to them; which names
may go to a server says `header_names.py`.
"""

from typing import Final

NAME: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
"""A pattern: a name, which is a token (RFC 9110 section 5.6.2)."""

VALUE: Final = r"[\t\x20-\x7e]*"
"""A pattern: visible ASCII, spaces and tabs. RFC 9110 section 5.5 tolerates bytes above; of those, readers differ."""

MAY_REPEAT: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "cookie",
        "forwarded",
        "pragma",
        "te",
        "trailer",
        "upgrade",
        "via",
        "warning",
        "x-forwarded-for",
    }
)
"""Names that may come twice in a request: lists by definition (RFC 9110 section 5.3), none of which we forward."""

WRITTEN_BY_CLIENTS: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Names that our clients write themselves, or not at all: a caller's would change where a message ends, whom it is
for, or how it is packed."""
