"""Where the access token of an account goes: into the one header of every request, or to a program at its start.

Called by the files of the kinds with an account. A program over stdio gets a variable or a file, and is started again
with each new token. Whether it is one is judged elsewhere (`control/credentials/matrix.py`).
"""

from collections.abc import Mapping
from typing import Final

from control.registry.broken_rule import BrokenRule
from control.registry.credential import ACCESS_TOKEN, WithAccount
from control.registry.run_names import check_file, check_variable
from control.registry.targets import Target, header

_FIELD: Final = "credential_placement"


def checked_place(credential: WithAccount) -> Target:
    """The one place that it fills, or BrokenRule."""
    if credential.variable and credential.file:
        raise BrokenRule(f"{_FIELD}.file", "does not go with a variable: the token goes to one place; leave one out")
    if credential.variable:
        return check_variable(credential.variable, f"{_FIELD}.variable", asked=True)
    if credential.file:
        return check_file(credential.file, f"{_FIELD}.file")
    return header("authorization")


def token_headers(credential: WithAccount, secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    """The one header that carries the access token; none where a program gets it at its start."""
    if credential.variable or credential.file:
        return []
    return [("authorization", f"Bearer {secrets[ACCESS_TOKEN]}")]


def token_at_start(credential: WithAccount, secrets: Mapping[str, str]) -> list[tuple[Target, str]]:
    """The variable or file that holds the access token; nothing where it is sent with each request."""
    if credential.variable:
        return [(Target("variable", credential.variable), secrets[ACCESS_TOKEN])]
    return [(Target("file", credential.file), secrets[ACCESS_TOKEN])] if credential.file else []
