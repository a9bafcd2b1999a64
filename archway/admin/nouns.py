"""What help says of one thing and of several, from the word for one. Called where commands are built."""


def one_of(noun: str) -> str:
    """The word with its article: `a token`, `an OAuth client`."""
    return f"an {noun}" if noun[0].lower() in "aeio" else f"a {noun}"


def several(noun: str) -> str:
    """The word for many of them: `tokens`, `entries`."""
    return f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
