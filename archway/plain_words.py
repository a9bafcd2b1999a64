"""What the command line says of a value that does not fit, in the words of the admin API: what would do.

The library that reads options words such errors for programmers ("Input should be a valid integer, unable to parse
string as an integer"). `all_commands.py` makes the whole command of this group, so that every option is covered.
"""

import re
from typing import Any, Final

import typer
from typer.core import TyperGroup

_WORDS: Final = (
    (re.compile(r"^Value error, "), ""),
    (re.compile(r"^Input should be a valid integer\b.*", re.DOTALL), "must be a whole number"),
    (re.compile(r"^Input should be a valid number\b.*", re.DOTALL), "must be a number"),
    (re.compile(r"^Input should be a finite number\b.*", re.DOTALL), "must be a number"),
    (re.compile(r"^Input should be greater than or equal to "), "must be at least "),
    (re.compile(r"^Input should be less than or equal to "), "must be at most "),
    (re.compile(r"^Input should "), "must "),
)


class PlainGroup(TyperGroup):
    """The command `archway` and all below it, whose errors about values say what would do."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was typed; its errors leave in our words."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as wrong:
            wrong.message = in_plain_words(wrong.message)
            raise


def in_plain_words(message: str) -> str:
    """The sentence of the library, in the words of the admin API where it is one of those that we know."""
    for pattern, words in _WORDS:
        message = pattern.sub(words, message)
    return message
