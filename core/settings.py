"""Reading settings from the environment into a frozen msgspec Struct, with errors that name the variable.

Each plane declares its own Struct (`proxy/settings.py`, `control/settings.py`); a field `public_url` is read from
`ARCHWAY_PUBLIC_URL`. Keys and passwords are among the fields, so a Struct that has some needs a `repr` without them.
"""

import os
from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec

PREFIX = "ARCHWAY_"
FOREIGN = {"https_proxy": "HTTPS_PROXY"}
"""Fields whose variable is not ours to name."""

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1 << 40)]

T = TypeVar("T", bound=msgspec.Struct)


class BadSetting(ValueError):
    """A setting that cannot be used; the sentence names the variable and what it takes."""


def variable(field: str) -> str:
    """The environment variable of a field."""
    return FOREIGN.get(field, PREFIX + field.upper())


def load(kind: type[T], environment: Mapping[str, str] | None = None) -> T:
    """The settings of `kind`; raises BadSetting for the first value that does not fit."""
    environment = os.environ if environment is None else environment
    given: dict[str, object] = {}
    for field in msgspec.structs.fields(kind):
        text = environment.get(variable(field.name), "").strip()
        if text:
            given[field.name] = text.split(",") if field.type == tuple[str, ...] else text
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadSetting(_sentence(kind, str(error))) from None


def host_port(name: str, text: str) -> tuple[str, int]:
    """`host:port` of a listener, IPv6 in brackets; raises BadSetting."""
    host, separator, port = text.rpartition(":")
    if not separator or not port.isdigit() or int(port) > 65_535:
        raise BadSetting(f"{variable(name)} must be host:port, such as 127.0.0.1:8400; got {text!r}")
    return host.strip("[]") or "127.0.0.1", int(port)


def _sentence(kind: type[msgspec.Struct], error: str) -> str:
    reason, _, where = error.partition(" - at `$.")
    field = where.rstrip("`").split("[")[0]
    if field:
        return f"{variable(field)}: {reason}"
    for name in (f.name for f in msgspec.structs.fields(kind)):
        if f"`{name}`" in reason:
            return f"{variable(name)} is not set, and there is no default; set it in the environment"
    return reason
