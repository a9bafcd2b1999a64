"""The catalog: well-known hosted MCP servers, with what an entry for each says and what is left to do by hand.

Written down from their makers' documentation and not run by us: an address or a scope may have changed since. Read by
the admin API and the pages; an entry that is made of it is an entry like any other. The files are in `servers/`, each
named for the slug.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec


class CatalogServer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A hosted server that is well known."""

    slug: str
    name: str
    description: str
    url: str
    docs_url: str
    labels: dict[str, str] = {}
    credential_model: str
    credential_placement: dict[str, Any] = {}
    fields: tuple[dict[str, Any], ...] = ()
    to_do: tuple[str, ...]
    """What an administrator does at the provider and fills in, a sentence each."""

    @property
    def needs_client(self) -> bool:
        """Whether a client must be registered at the provider by hand, and its identifier given."""
        return self.credential_placement.get("registration") == "own"


@cache
def catalog() -> tuple[CatalogServer, ...]:
    """All servers of the catalog, by name."""
    found = [
        msgspec.convert(
            {"slug": one.name.removesuffix(".toml"), **tomllib.loads(one.read_text("utf-8"))}, CatalogServer
        )
        for one in files("control.catalog").joinpath("servers").iterdir()
        if one.name.endswith(".toml")
    ]
    return tuple(sorted(found, key=lambda one: one.name.lower()))
