"""What an entry's server is told of the caller, by Archway's word: a signed statement, or headers with names.

Kept by an entry as one JSON object. Made for a call by `control/credentials/statement.py`; a caller's own copies of
these headers reach no server.
"""

from typing import Annotated, Literal

import msgspec

Told = Literal["subject", "email", "name", "teams", "gateway", "tool"]
"""What can be said of a call; the request identifier goes beside it, since it is another for each call."""


class CallerStatement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is told, and how."""

    form: Annotated[
        Literal["jwt", "headers"],
        msgspec.Meta(description="`jwt`: a statement that Archway signs, good for a minute; `headers`: plain text."),
    ] = "jwt"
    header: Annotated[str, msgspec.Meta(max_length=64, description="With `jwt`: the header that carries it.")] = (
        "x-archway-caller"
    )
    tells: Annotated[
        tuple[Told, ...], msgspec.Meta(max_length=6, description="With `jwt`: its claims. `subject` is always there.")
    ] = ("subject",)
    headers: Annotated[
        dict[Told, str], msgspec.Meta(max_length=6, description="With `headers`: what is told, to the header's name.")
    ] = {}
    request_id_header: Annotated[
        str, msgspec.Meta(max_length=64, description="The header that tells the request's identifier; empty: none.")
    ] = ""
