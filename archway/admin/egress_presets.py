"""Egress presets on the command line: destinations that are written once, and named by environments."""

from archway.admin.commands import commands
from archway.admin.resource import Option, Resource, in_parts

_CIDR = "A network that servers may reach, such as 203.0.113.0/24"
_DOMAIN = "A host that they may reach: api.example.com, *.example.com (one label more) or **.example.com (any number)"
_PORT = "A TCP port of these, 443 or 5432-5440"
_WORDS = (
    Option("name", "Unique name, for people.", needed=True),
    Option("description", "What it is for, for people."),
)

EGRESS_PRESET = Resource(
    name="egress-presets",
    one="egress preset",
    path="/egress-presets",
    help="Destinations of servers that are written once and named by environments.",
    columns=("name", "domains", "cidrs", "ports", "id"),
    names=("name",),
    filters=(Option("name", "Only the one of this name, in whatever case."),),
    create=(
        *_WORDS,
        Option("cidrs", f"{_CIDR}; may be repeated.", "list", flag="cidr"),
        Option("domains", f"{_DOMAIN}; may be repeated.", "list", flag="domain"),
        Option("ports", f"{_PORT}; may be repeated. 443 where none is named.", "list", flag="port"),
    ),
    update=(
        *_WORDS,
        *in_parts("cidrs", "cidr", "list", _CIDR),
        *in_parts("domains", "domain", "list", _DOMAIN),
        *in_parts("ports", "port", "list", _PORT),
    ),
    examples={
        "create": (
            "archway egress-presets create --name GitHub --domain api.github.com --domain '**.githubusercontent.com'",
            "archway egress-presets create --name Orders --cidr 10.20.0.0/24 --port 5432",
        ),
        "list": ("archway egress-presets list",),
        "show": ("archway egress-presets show GitHub",),
        "update": ("archway egress-presets update GitHub --add-domain github.com",),
        "delete": ("archway egress-presets delete GitHub",),
    },
)
EGRESS_PRESETS = commands(EGRESS_PRESET)
