"""Environments on the command line: where entries are put, some of them restricted."""

from archway.admin.commands import commands
from archway.admin.resource import Option, Resource

_FIELDS = (
    Option("name", "Unique name, for people.", needed=True),
    Option(
        "restricted",
        "Whether only who holds environment:deploy-to-restricted puts entries into it, and takes them out.",
        "flag",
    ),
)

ENVIRONMENT = Resource(
    name="environments",
    one="environment",
    path="/environments",
    help="Where entries are put. Into a restricted one only by those who hold a permission for it.",
    columns=("name", "restricted", "id"),
    names=("name",),
    filters=(Option("name", "Only the one of this name, in whatever case."),),
    create=_FIELDS,
    update=_FIELDS,
    examples={
        "create": (
            "archway environments create --name Staging",
            "archway environments create --name Production --restricted",
        ),
        "list": ("archway environments list",),
        "show": ("archway environments show Production",),
        "update": ("archway environments update Staging --restricted",),
        "delete": ("archway environments delete Staging",),
    },
)
ENVIRONMENTS = commands(ENVIRONMENT)
