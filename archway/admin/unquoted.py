"""A command that starts a server, typed where `--url` wants a URL and without quotes: `--url npx -y some-server`.

The rest of it would be taken for options of ours, and "No such option: -y" helps nobody. Used by commands.py for
every command of the registry. One in quotes is refused by the API, in the same words.
"""

from typing import Any

import typer
from typer.core import TyperCommand
from typer.exceptions import TyperException

from control.registry.commands import SENTENCE, is_command


class UrlAware(TyperCommand):
    """A command that tells what to do with a server's command after `--url`."""

    def parse_args(self, context: Any, args: list[str]) -> list[str]:
        """As typer does; where that fails, look whether a command was typed without quotes."""
        typed = list(args)
        try:
            return super().parse_args(context, args)
        except TyperException:
            if is_command(after_url(typed)):
                raise typer.BadParameter(SENTENCE, context, param_hint="--url") from None
            raise


def after_url(words: list[str]) -> str:
    """What was typed after `--url`, up to the next option of two dashes; "" where there is none."""
    for number, word in enumerate(words):
        if word == "--url":
            rest = words[number + 1 :]
            end = next((place for place, one in enumerate(rest) if place and one.startswith("--")), len(rest))
            return " ".join(rest[:end])
    return ""
