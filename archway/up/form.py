"""In which form the workers of `archway up` run: compiled or interpreted, and what would change that."""

from collections.abc import Mapping
from pathlib import Path

from core.compiled_form import DoesNotFit, is_wanted, what_is_here


def form(environment: Mapping[str, str], packages: Path) -> str:
    """What the summary says of it; nothing is compiled here."""
    if not is_wanted(environment):
        return "interpreted (ARCHWAY_COMPILED)"
    try:
        build = what_is_here(packages)
    except DoesNotFit as why:
        return f"interpreted: the compiled modules do not fit, {why}; `make compiled` makes them again"
    if build is not None:
        return f"compiled, with {build.compiler}"
    has_make = (packages / "Makefile").is_file()
    return "interpreted" + ("; `make compiled` halves what a call costs, from the next start on" if has_make else "")
