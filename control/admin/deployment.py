"""`/deployment`: which version runs, where gateways are, and how much there is of what one may see."""

from pydantic import Field

from control.admin.api import Asked, Operations
from control.http.models import View
from control.store.counts import counts
from control.store.pool import transaction
from core.our_version import VERSION

operations = Operations("deployment")


class Deployment(View):
    """The deployment as a whole: its version, the address of its gateways, and numbers."""

    version: str = Field(description="Of the control plane that answers.")
    public_url: str = Field(description="Where gateways are, without a slash at the end.")
    counts: dict[str, int] = Field(
        description="How many there are of what: of what the caller may see, with `deployment:read` of everything."
    )


@operations.get("/deployment")
async def show_deployment(asked: Asked) -> Deployment:
    """Show which version runs, where gateways are, and how much there is of what one may see."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = await counts(connection, asked.caller)
    return Deployment(version=VERSION, public_url=asked.deps.public_url, counts=found)
