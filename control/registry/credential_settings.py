"""Settings that several kinds of credentials have (`credential.py`): what each may be, and how it is told. Pure."""

from typing import Annotated

import msgspec

Url = Annotated[str, msgspec.Meta(max_length=2_048)]
Issuer = Annotated[
    Url,
    msgspec.Meta(
        description="The provider's authorization server, to the letter; empty: the one that the server names."
    ),
]
TokenEndpoint = Annotated[
    Url, msgspec.Meta(description="Where tokens come from; empty: as the provider's metadata says.")
]
Scopes = Annotated[
    tuple[str, ...],
    msgspec.Meta(
        max_length=100,
        description="All that is ever asked for, whatever the server wants; empty: what the server says that it "
        "needs, and later needs besides.",
    ),
]
Resource = Annotated[
    Url,
    msgspec.Meta(
        description="What the tokens are for (RFC 8707); empty: the server's URL; `omit`: not sent, for providers "
        "that refuse it."
    ),
]
Hosts = Annotated[
    tuple[str, ...],
    msgspec.Meta(
        max_length=20,
        description="Origins that are foreign to the issuer and may serve its endpoints, such as "
        "`https://oauth2.googleapis.com`: nothing is sent to others.",
    ),
]


Variable = Annotated[
    str,
    msgspec.Meta(
        max_length=64, description="Of a program over stdio: the variable that holds the access token at its start."
    ),
]
File = Annotated[
    str,
    msgspec.Meta(max_length=64, description="The same as a file: its name in `/run/secrets/mcp`. One of the two."),
]
