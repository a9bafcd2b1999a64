"""The entry point of the script `archway`: nothing but the way in, so that Ctrl-C ends even its imports quietly."""

import sys

INTERRUPTED = 130
"""What a shell expects of a program that SIGINT ended: 128 and the signal's number."""


def main() -> None:
    """Run the command that was typed."""
    try:
        from archway.all_commands import app

        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
