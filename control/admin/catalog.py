"""`/catalog`: well-known hosted servers, and entries made of what a client is configured with."""

from typing import Any, Final

from pydantic import Field

from control.accounts.our_client import callback_of
from control.admin.api import Asked, Operations
from control.catalog.client_config import proposals
from control.catalog.listed import catalog
from control.http.models import Model, View

operations = Operations("catalog")
_MADE_HERE: Final = frozenset({"fields", "to_do", "callback_url"})


class CatalogServerView(View):
    """A well-known hosted server: the fields of an entry for it. Taken from its makers' pages, and not run by us."""

    slug: str
    name: str
    description: str
    url: str
    docs_url: str
    labels: dict[str, str]
    credential_model: str
    credential_placement: dict[str, Any]
    fields: list[dict[str, Any]]
    needs_client: bool = Field(
        description="Whether a client must be registered at the provider by hand, whose `client_id` is then added."
    )
    to_do: list[str] = Field(description="What an administrator does at the provider and fills in.")
    callback_url: str = Field(
        description="What a client that is registered there by hand names as its redirect URI, for an entry of this "
        "slug; empty where nobody signs in."
    )


class Catalog(View):
    """The catalog: written down from the makers' documentation, and not run by us."""

    note: str
    items: list[CatalogServerView]


@operations.get("/catalog")
async def show_catalog(asked: Asked) -> Catalog:
    """List well-known hosted servers, with what an entry for each says and what is left to do by hand."""
    note = "Taken from the makers' documentation and not run by us: addresses and scopes may have changed."
    items = [
        CatalogServerView(
            **{name: getattr(one, name) for name in CatalogServerView.model_fields if name not in _MADE_HERE},
            fields=list(one.fields),
            to_do=list(one.to_do),
            callback_url=callback_of(asked.deps.pages_url, one.slug) if one.credential_model == "oauth" else "",
        )
        for one in catalog()
    ]
    return Catalog(note=note, items=items)


class ClientConfig(Model):
    """What a client is configured with: its `mcp.json`, whole."""

    config: dict[str, Any]


class ProposalView(View):
    """A server of a client's configuration: the body of an entry for it, or why there is none."""

    name: str
    entry: dict[str, Any] | None = Field(description="For `POST /entries`; null where the server is left out.")
    notes: list[str] = Field(description="What was done to it, or why it is left out.")


class Proposals(View):
    """The servers of a client's configuration, in its order. No value that could be a secret is among them."""

    items: list[ProposalView]


@operations.post("/catalog/read", status=200)
async def read_client_config(asked: Asked, body: ClientConfig) -> Proposals:  # noqa: ARG001  # saves nothing
    """Read a client's `mcp.json` as entries; nothing is saved. What could be a secret becomes a question."""
    found = proposals(body.config, catalog())
    return Proposals(items=[ProposalView(name=one.name, entry=one.entry, notes=one.notes) for one in found])
