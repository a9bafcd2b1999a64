"""What a shell offers where an option takes one of some words. Called as commands are built; names of objects, which
only the API knows, are not offered.
"""

from collections.abc import Callable, Sequence


def offering(words: Sequence[str]) -> Callable[[str], list[str]]:
    """A function for typer: those of `words` that begin as what was typed so far."""

    def offered(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return offered
