"""Names of ours for tools whose servers gave them others than clients take: `context7:query-docs`, spaces, `查询`.

Called by `tool_definitions.py`. The entry knows the tool by this name, and assignments are named after it; calls
carry the server's own name, byte for byte. Names of the protocol's alphabet stay as they are.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from core.mcp.tool_names import MAX_TOOL_NAME, valid_upstream_name

_FORBIDDEN: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_MARK_CHARS: Final = 6


def own_names(upstream_names: Iterable[str]) -> dict[str, str]:
    """A name of ours for each of a server's; the order of its list does not matter.

    Where two would have one name, each that is not the server's own ends in a mark of its whole name.
    """
    names = {upstream: _cleaned(upstream) for upstream in upstream_names}
    counts = Counter(names.values())
    return {
        upstream: name if counts[name] == 1 or name == upstream else _marked(name, upstream)
        for upstream, name in names.items()
    }


def _cleaned(upstream: str) -> str:
    if valid_upstream_name(upstream):
        return upstream
    plain = unicodedata.normalize("NFKD", upstream)
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    name = _FORBIDDEN.sub("_", plain).strip("_")
    if not name:
        return _marked("tool", upstream)
    return name if len(name) <= MAX_TOOL_NAME else _marked(name, upstream)


def _marked(name: str, upstream: str) -> str:
    mark = sha256(upstream.encode()).hexdigest()[:_MARK_CHARS]
    return f"{name[: MAX_TOOL_NAME - _MARK_CHARS - 1]}_{mark}"
