"""Entries on the command line: the registry, and what an entry keeps of its server's tools."""

from typing import Annotated, Any

import typer

from archway.admin.commands import commands, explained
from archway.admin.connection import connect
from archway.admin.credential_options import CREDENTIAL, KINDS
from archway.admin.form import Form, with_form
from archway.admin.lookup import find, find_in
from archway.admin.names import with_owners
from archway.admin.resource import Option, Resource, in_parts
from archway.admin.run_options import EXAMPLES, EXAMPLES_OF_CHANGES, RUN_FIELDS, RUN_SECRETS
from archway.admin.show import show_list, show_one
from archway.options import DEFAULT_STATE, State

ENTRY_FIELDS = (
    Option("slug", "Short unique name, a DNS label.", needed=True),
    Option("name", "Name for people.", needed=True),
    Option("description", "What the server does."),
    Option("url", "Where the server answers, unless Archway runs it; {name} stands for the answer to that field."),
    Option("kind", "remote, or self_hosted: one that Archway runs, as it is with --run-command or --image."),
    Option("docs_url", "Where its documentation is."),
    Option("labels", "A label, name=value; may be repeated.", "map", flag="label"),
    Option("visibility", "organisation or teams."),
    Option("teams", "A team that sees it; may be repeated.", "references", of="team", flag="team"),
    *CREDENTIAL,
    Option(
        "fields",
        'JSON: questions at installation, [{"name", "type", "header", ...}]; of one that Archway runs "variable" '
        'or "file"; without any: for {name} in the URL, ${user_config.name} in the command.',
        "json",
    ),
    *RUN_FIELDS,
    Option(
        "fixed_headers", "A header with a secret value, sent with every request: its name.", "secrets", flag="header"
    ),
    RUN_SECRETS,
    Option(
        "client_secret",
        "With oauth: the secret of the client that you registered at the provider, asked for at the terminal; in "
        "scripts --value-from-env client_secret=VARIABLE.",
        "prompt",
    ),
    Option("passthrough", "Whether callers' allowed headers go on to this server.", "flag"),
    Option("isolation", "principal, client_session or shared: who shares a session with the server."),
    Option(
        "caller_statement",
        'JSON: what the server is told of each caller: {"tells": ["email", "teams"]} for a signed statement in '
        'x-archway-caller; {"form": "headers", "headers": {"email": "x-user-email"}} for plain headers; with either '
        '"request_id_header"; null for nothing.',
        "json",
        example='{"tells": ["email", "teams"]}',
    ),
    Option("deadline_s", "Longest wait for an answer in seconds; 0: the proxy's.", "number"),
    Option(
        "team_id",
        "The team whose own entry it is, which alone sees it; or organisation, as it is unless said otherwise.",
        "owner",
        flag="belongs_to",
    ),
    Option(
        "environment_id",
        "The environment that it is put into: its name or id; '' for none.",
        "reference",
        of="environment",
        flag="environment",
    ),
)

ENTRY_CHANGES = (
    *(one for one in ENTRY_FIELDS if one.name not in {"labels", "teams"}),
    *in_parts("labels", "label", "map", "A label, name=value"),
    *in_parts("teams", "team", "references", "A team that sees it", of="team"),
    Option(
        "discovery_installation_id",
        "The installation through which its tools are found: its name, ENTRY@OWNER or id; '' for one that is ready.",
        "reference",
        of="installation",
        flag="discovery_installation",
    ),
)
ENTRY = Resource(
    name="entries",
    one="entry",
    path="/entries",
    help="The registry: servers that are approved here.",
    columns=("slug", "name", "owner", "url", "credential_model", "description", "id"),
    for_people=with_owners,
    filters=(
        Option("text", "Only those with this text in their name or slug."),
        Option("label", "Only with this label, name=value."),
        Option("credential_model", f"Only with credentials of this kind: {KINDS}."),
        Option("environment_id", "Only in this environment.", "reference", of="environment", flag="environment"),
    ),
    create=ENTRY_FIELDS,
    update=ENTRY_CHANGES,
    cascade=True,
    examples={
        "create": (
            "archway entries create --slug time --name Time --url https://time.example.com/mcp",
            "archway entries create --slug crm --name CRM --url https://crm.example.com/mcp "
            '--credential-model static --credential-placement \'{"style": "bearer"}\'',
            "archway entries create --slug bugs --name Bugs --url https://bugs.example.com/mcp --belongs-to Platform",
            *EXAMPLES,
            "archway entries create --body entry.yaml",
        ),
        "list": ("archway entries list --text crm", "archway entries list --environment Production -o wide"),
        "show": ("archway entries show crm",),
        "update": (
            "archway entries update crm --url https://crm.example.com/v2/mcp",
            *EXAMPLES_OF_CHANGES,
            "archway entries update crm --add-label stage=live --remove-team Sales",
            "archway entries update bugs --belongs-to organisation --visibility organisation",
            "archway entries update crm --environment Production",
            'archway entries update crm --caller-statement \'{"tells": ["email", "teams"]}\'',
            "archway entries update crm --body crm.yaml",
            "archway entries update crm --discovery-installation crm@Support",
        ),
        "delete": ("archway entries delete crm --cascade",),
    },
)
ENTRIES = commands(ENTRY)


@ENTRIES.command("tools")
@with_form
def tools(
    entry: Annotated[str, typer.Argument(help="The entry's slug, name or id.")],
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """List the tools that an entry keeps, as its server last listed them.

    [bold]Example[/bold]

      archway entries tools crm
    """
    with explained():
        api = connect(state)
        path = f"/entries/{find(api, 'entry', entry)}/tools"
        show_list(
            api.pages(path), ("name", "kind", "state", "only_as_task", "missing_since", "changed_at", "id"), form
        )


@ENTRIES.command("changes")
@with_form
def changes(
    entry: Annotated[str, typer.Argument(help="The entry's slug, name or id.")],
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Show what differs in tools that changed at their server since somebody acknowledged them.

    [bold]Example[/bold]

      archway entries changes crm
    """
    with explained():
        api = connect(state)
        path = f"/entries/{find(api, 'entry', entry)}/tools"
        rows = [
            {"tool": tool["name"], "changed_at": tool["changed_at"], **place}
            for tool in api.pages(path)
            if tool["changed_at"]
            for place in tool["differences"]
        ]
        show_list(rows, ("tool", "changed_at", "at", "before", "after"), form)


def _change_tool(name: str, change: dict[str, Any], sentence: str) -> None:
    def command(
        entry: Annotated[str, typer.Argument(help="The entry's slug, name or id.")],
        tool: Annotated[str, typer.Argument(help="The tool's name or id.")],
        state: State = DEFAULT_STATE,
        form: Form = Form.TABLE,
    ) -> None:
        with explained():
            api = connect(state)
            path = f"/entries/{find(api, 'entry', entry)}/tools"
            tool_id = find_in(api, path, ("name", "upstream_name"), tool, "tool", f"archway entries tools {entry}")
            show_one(api.patch(f"{path}/{tool_id}", change), form, ("name", "state"))

    help_text = f"{sentence}\n\n[bold]Example[/bold]\n\n  archway entries {name} crm delete_contact"
    ENTRIES.command(name, help=help_text)(with_form(command))


_change_tool("quarantine", {"state": "quarantined"}, "Refuse a tool on every gateway, within a second.")
_change_tool("release", {"state": "active"}, "Let a tool out of quarantine.")
_change_tool("acknowledge", {"acknowledged": True}, "Say that you know how a tool changed: gateways warn no more.")
