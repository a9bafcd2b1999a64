"""Files that pages need: a style sheet, scripts, an icon. Served under their own hash, so that a browser keeps them.

    /static/4f5c21ab09e3d7f1/console.css

Another hash than a file's is of another version, in the minutes in which two of them run side by side: the file is
served all the same, and nobody keeps it. Read once; together they are small (`tests/unit/control/console/`).
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Final

from aiohttp import web

FOLDER: Final = Path(__file__).with_name("static")
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""What is served. Other files of the folder, such as licences, are not."""
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_HASH_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is sent, plain and compressed."""

    hash: str
    content_type: str
    plain: bytes
    compressed: bytes


@lru_cache(maxsize=1)
def files() -> Mapping[str, StaticFile]:
    """All that is served, by name."""
    return MappingProxyType({path.name: _read(path) for path in sorted(FOLDER.iterdir()) if path.suffix in _TYPES})


def address(name: str) -> str:
    """The path of a file, with its hash; KeyError for one that there is not."""
    return f"/static/{files()[name].hash}/{name}"


async def serve(request: web.Request) -> web.Response:
    """Answer with a file."""
    file = files().get(request.match_info["file"])
    if file is None:
        raise web.HTTPNotFound
    known = request.match_info["hash"] == file.hash
    headers = {"Cache-Control": _FOR_EVER if known else "no-store", "Vary": "Accept-Encoding"}
    body = file.plain
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body, headers["Content-Encoding"] = file.compressed, "gzip"
    return web.Response(body=body, content_type=file.content_type, charset="utf-8", headers=headers)


def _read(path: Path) -> StaticFile:
    plain = path.read_bytes()
    return StaticFile(
        sha256(plain).hexdigest()[:_HASH_LENGTH], _TYPES[path.suffix], plain, gzip.compress(plain, mtime=0)
    )
