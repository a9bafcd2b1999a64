"""Files that only their owner may read, written whole or not at all."""

import os
import secrets
from pathlib import Path
from typing import Any

import orjson


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, mode 0600; after a crash or power cut it holds the old content or the new."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: object) -> None:
    """The same, as JSON that a person can read."""
    write_private(path, orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def read_json(path: Path) -> dict[str, Any]:
    """The object in `path`, empty where the file is missing or was never finished."""
    try:
        value = orjson.loads(path.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    return value if isinstance(value, dict) else {}
