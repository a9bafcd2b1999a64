"""The parameters of a request, from its query or its form. A name that is given twice has no meaning (RFC 6749 3.1).

Called by every endpoint. `resource` alone may come more than once (RFC 8707 section 2); unknown names are ignored.
"""

from collections.abc import Collection, Iterable
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from control.http.forms import read_pairs
from control.http.problems import Problem
from control.oauth.errors import invalid_request
from core.jwt import LONGEST as LONGEST_TOKEN

REPEATED: Final = frozenset({"resource"})
MOST: Final = 100
LONGEST: Final = 4_096
"""Of one value; a `state` of a few thousand characters has been seen."""
LONGEST_OF: Final = MappingProxyType({"assertion": LONGEST_TOKEN})
"""Of values that may be longer: a provider's assertion may say in which groups a person is."""


class Parameters:
    """What a client sent, by name."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def one(self, name: str) -> str:
        """The value, '' where it is not given; of one that came twice the first, which `check` has refused."""
        return self._values.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """Every value that is not empty."""
        return [value for value in self._values.get(name, []) if value]

    def required(self, name: str) -> str:
        """The value; raises OAuthRefused where it is missing."""
        value = self.one(name)
        if not value:
            raise invalid_request(f"The parameter {name} is missing.")
        return value

    def check(self, names: Collection[str] | None = None) -> None:
        """Raise OAuthRefused where one of these (None: any) comes twice or is too long."""
        for name, values in self._values.items():
            if names is not None and name not in names:
                continue
            if len(values) > 1 and name not in REPEATED:
                raise invalid_request("A parameter is given twice.", "send each parameter once")
            if any(len(value) > LONGEST_OF.get(name, LONGEST) or "\0" in value for value in values):
                raise invalid_request("A parameter is too long, or holds the character U+0000.")


def of_query(request: web.Request) -> Parameters:
    """What stands in the URL; raises OAuthRefused for what cannot be read."""
    try:
        pairs = parse_qsl(
            request.rel_url.raw_query_string, keep_blank_values=True, errors="strict", max_num_fields=MOST
        )
    except ValueError:
        raise invalid_request("The query cannot be read: send at most 100 parameters, in UTF-8.") from None
    return Parameters(pairs)


async def of_form(request: web.Request) -> Parameters:
    """What stands in the body; raises OAuthRefused for what is no form, or says something twice."""
    try:
        parameters = Parameters(await read_pairs(request))
    except Problem as problem:
        raise invalid_request(problem.detail) from None
    parameters.check()
    if request.rel_url.raw_query_string:  # a secret in a URL ends up in logs
        raise invalid_request("Parameters belong into the body, not into the URL.")
    return parameters
