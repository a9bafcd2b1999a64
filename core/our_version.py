"""Which version of Archway this is: told to clients, servers and administrators, and never in an HTTP header."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final


def _installed() -> str:
    try:
        return version("archway")
    except PackageNotFoundError:  # a source tree that is not installed
        return "0"


VERSION: Final = _installed()
