"""People without an account on the command line: who calls with an identity provider's own token, and is shut out."""

from archway.admin.commands import commands
from archway.admin.resource import Action, Option, Resource

EXTERNAL = Resource(
    name="external-principals",
    one="external principal",
    path="/external-principals",
    help="Who calls with an identity provider's own token and has no account here.",
    columns=("name", "subject", "issuer", "last_seen_at", "disabled_at", "id"),
    filters=(
        Option("provider", "Only whom this identity provider knows.", "reference", of="identity_provider"),
        Option("subject", "Only this subject, as the provider's tokens have it in `sub`."),
    ),
    create=(),
    update=(),
    delete=False,
    names=("subject",),
    actions=(
        Action(
            "disable", "Shut them out, whatever their provider says; calls that they have running end.", "shut out"
        ),
        Action("enable", "Let them in again, as far as their provider does.", "let in"),
    ),
    examples={
        "list": ("archway external-principals list --provider corp",),
        "show": ("archway external-principals show 0199c1f2-6d7c-7c1a-b1de-0f6f5f1f3a10",),
        "disable": ("archway external-principals disable 0199c1f2-6d7c-7c1a-b1de-0f6f5f1f3a10",),
        "enable": ("archway external-principals enable 0199c1f2-6d7c-7c1a-b1de-0f6f5f1f3a10",),
    },
)
EXTERNALS = commands(EXTERNAL)
