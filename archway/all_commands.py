"""`archway`: every command by name, each with examples in its `--help`.

Only this file knows all commands; what one does stands in its own package. Heavy imports happen inside commands, so
that `archway down` does not load what only `archway up` needs.
"""

from typing import Annotated

import typer

from archway.admin import accounts, entry_override, roll_out, servers  # noqa: F401  # their commands stand beside others
from archway.admin.catalog import ENTRIES
from archway.admin.egress_presets import EGRESS_PRESETS
from archway.admin.environments import ENVIRONMENTS
from archway.admin.explain import explain
from archway.admin.external_principals import EXTERNALS
from archway.admin.gateways import ASSIGNMENTS, GATEWAYS
from archway.admin.history import AUDIT, RECORDS
from archway.admin.identity_providers import IDENTITY_PROVIDERS
from archway.admin.installations import INSTALLATIONS
from archway.admin.oauth import GRANTS, OAUTH_CLIENTS
from archway.admin.people import TEAMS, TOKENS, USERS
from archway.admin.pull_secrets import PULL_SECRETS
from archway.admin.revoke import REVOKE
from archway.admin.roles import ROLES
from archway.admin.sign_in import SESSIONS
from archway.admin.sign_ins import SIGN_INS
from archway.calling.commands import call, tools
from archway.doctor.command import doctor
from archway.keys_command import keys
from archway.migrate_command import migrate
from archway.plain_words import PlainGroup
from archway.plane_commands import control, proxy
from archway.status.command import status
from archway.up.command import down, up
from core.our_version import VERSION

app = typer.Typer(
    name="archway",
    cls=PlainGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks show local variables, and some of ours are secrets
    rich_markup_mode="rich",
)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"archway {VERSION}")
        raise typer.Exit


@app.callback()
def archway(
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """A private registry of MCP servers, and gateways that present their tools at one URL.

    Commands of the registry talk to the admin API: to that of `archway up`
    on this machine (--state), or to the one that ARCHWAY_ADMIN_URL and
    ARCHWAY_ADMIN_TOKEN name.
    """


for panel, plain in (
    ("One machine", (up, down)),
    ("How it is", (status, doctor)),
    ("Call tools", (tools, call, explain)),
    ("Run a deployment", (control, proxy, migrate)),
):
    for command in plain:
        app.command(rich_help_panel=panel)(command)
app.add_typer(keys, name="keys", rich_help_panel="Run a deployment")
for panel, groups in (
    (
        "People",
        {
            "users": USERS,
            "teams": TEAMS,
            "roles": ROLES,
            "sessions": SESSIONS,
            "tokens": TOKENS,
            "identity-providers": IDENTITY_PROVIDERS,
            "external-principals": EXTERNALS,
            "revoke": REVOKE,
        },
    ),
    ("OAuth", {"oauth-clients": OAUTH_CLIENTS, "grants": GRANTS}),
    (
        "Servers and tools",
        {
            "entries": ENTRIES,
            "installations": INSTALLATIONS,
            "pull-secrets": PULL_SECRETS,
            "environments": ENVIRONMENTS,
            "egress-presets": EGRESS_PRESETS,
            "gateways": GATEWAYS,
            "assignments": ASSIGNMENTS,
        },
    ),
    ("What happened", {"records": RECORDS, "audit": AUDIT, "sign-ins": SIGN_INS}),
):
    for name, group in groups.items():
        app.add_typer(group, name=name, rich_help_panel=panel)
