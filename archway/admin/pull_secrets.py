"""Image pull secrets on the command line: credentials of registries, for servers that Archway runs."""

from archway.admin.commands import commands
from archway.admin.names import with_owners
from archway.admin.resource import Option, Resource

_PASSWORD = "Its password or token, asked for at the terminal; in scripts --value-from-env password=VARIABLE."  # noqa: S105
_FIELDS = (
    Option("name", "Unique name, for people.", needed=True),
    Option("registry", "The registry's host, such as registry.example.com."),
    Option("username", "The user there."),
    Option("password", _PASSWORD, "prompt"),
    Option("kind", "registry, as it is unless said otherwise; or cluster: a secret that somebody else keeps there."),
    Option(
        "secret_name",
        "With cluster: the name of a secret in the servers' namespace, labelled archway.dev/pull-secret=true.",
    ),
    Option(
        "team_id",
        "The team that sees it, whose entries alone may name it; or organisation, as it is unless said otherwise.",
        "owner",
        flag="belongs_to",
    ),
)

PULL_SECRET = Resource(
    name="pull-secrets",
    one="pull secret",
    path="/pull-secrets",
    help="Credentials of image registries, for servers that Archway runs. A password is never shown.",
    columns=("name", "owner", "kind", "registry", "username", "secret_name", "id"),
    for_people=with_owners,
    names=("name",),
    filters=(Option("name", "Only the one of this name, in whatever case."),),
    create=_FIELDS,
    update=_FIELDS,
    examples={
        "create": (
            "archway pull-secrets create --name Ours --registry registry.example.com --username bot --password",
            "archway pull-secrets create --name Mirror --kind cluster --secret-name mirror-pull",
        ),
        "list": ("archway pull-secrets list",),
        "show": ("archway pull-secrets show Ours",),
        "update": ("archway pull-secrets update Ours --password",),
        "delete": ("archway pull-secrets delete Ours",),
    },
)
PULL_SECRETS = commands(PULL_SECRET)
