"""A number with its noun, for sentences that people read. Called wherever things are counted in words."""


def counted(number: int, noun: str) -> str:
    """`1 tool`, `2 tools`, `0 tools`; for nouns whose plural only takes an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
