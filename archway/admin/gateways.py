"""Gateways and assignments on the command line."""

import json
from typing import Any

from archway.admin.commands import commands
from archway.admin.names import with_owners, with_pins
from archway.admin.resource import Option, Resource, in_parts
from archway.admin.show import table_text
from archway.admin_client import AdminApi

_ENVIRONMENT = "An environment whose entries alone it may show"
_CLIENT = "The client_id of an OAuth client that is let in"
GATEWAY_FIELDS = (
    Option("slug", "Short unique name, a DNS label; part of the URL.", needed=True),
    Option("name", "Name for people.", needed=True),
    Option("description", "What it is for."),
    Option("instructions", "Told to clients when they connect."),
    Option("labels", "A label, name=value; may be repeated.", "map", flag="label"),
    Option("visibility", "organisation, teams or personal."),
    Option("teams", "A team that may use it; may be repeated.", "references", of="team", flag="team"),
    Option("owner_id", "With personal: whose, by default your own.", "reference", of="user", flag="owner"),
    Option(
        "header_allowlist", "A header of callers that is passed on; may be repeated.", "list", flag="allow_header"
    ),
    Option("audit_required", "Refuse a call rather than lose its record.", "flag"),
    Option(
        "identity_provider_id", "The identity provider whose own tokens it takes; '' for none, with --audience ''.",
        "reference",
        of="identity_provider", flag="identity_provider",
    ),
    Option(
        "identity_provider_audience", "What those tokens must be for: one of the provider's audiences.",
        flag="audience",
    ),
    Option("takes_assertions", "Take that provider's assertions (ID-JAG): nobody signs in a second time.", "flag"),
    Option("allowed_clients", f"{_CLIENT}; may be repeated. None: every client.", "list", flag="allow_client"),
    Option(
        "may_ask", "What servers may ask of callers: elicitation, sampling, roots; '' for nothing. May be repeated.",
        "list",
        words=("elicitation", "sampling", "roots", ""),
    ),
    Option(
        "tool_loading", "all: clients list every tool; search_and_run: two tools that find and run them.",
        words=("all", "search_and_run"),
    ),
    Option(
        "environments", f"{_ENVIRONMENT}; may be repeated. None: any entry.", "references", of="environment",
        flag="environment",
    ),
)  # fmt: skip


def connection_and_tools(api: AdminApi, gateway: dict[str, Any]) -> str:
    """How clients connect, and what they then see."""
    connect = gateway.get("connect", {})
    lines = ["", "Connect a client:", f"  URL            {connect.get('url', '')}"]
    lines += [
        f"  Transport      {connect.get('transport', '')}",
        f"  Authorization  {connect.get('authorization', '')}",
    ]
    lines += ["  or, for clients that are configured by a file:", *_block(connect.get("client_config", {}))]
    tools = list(api.pages(f"/gateways/{gateway['id']}/assignments"))
    if not tools:
        return "\n".join([*lines, "", f"No tools yet: `archway assignments create --gateway {gateway['slug']} ...`."])
    table = table_text(with_pins(api, tools), ("exposed_name", "entry_slug", "installation_name", "tool_state"))
    return "\n".join([*lines, "", "Tools:", *("  " + line for line in table.splitlines())])


def _block(value: Any) -> list[str]:
    return ["    " + line for line in json.dumps(value, indent=2).splitlines()]


_IN_PARTS = {"labels", "teams", "header_allowlist", "allowed_clients", "environments"}
GATEWAY_CHANGES = (
    *(one for one in GATEWAY_FIELDS if one.name not in _IN_PARTS),
    *in_parts("labels", "label", "map", "A label, name=value"),
    *in_parts("teams", "team", "references", "A team that may use it", of="team"),
    *in_parts("header_allowlist", "header", "list", "A header of callers that is passed on", whole="allow_header"),
    *in_parts("allowed_clients", "client", "list", _CLIENT, whole="allow_client"),
    *in_parts("environments", "environment", "references", _ENVIRONMENT, of="environment"),
)
GATEWAY = Resource(
    name="gateways",
    one="gateway",
    path="/gateways",
    help="Endpoints that present chosen tools to MCP clients at one URL.",
    columns=("slug", "name", "owner", "usable", "reasons", "description", "id"),
    for_people=with_owners,
    filters=(Option("label", "Only with this label, name=value."),),
    create=GATEWAY_FIELDS,
    update=GATEWAY_CHANGES,
    apart=("connect",),
    after_sheet=connection_and_tools,
    examples={
        "create": (
            "archway gateways create --slug sales --name Sales --visibility teams --team Sales",
            "archway gateways create --slug ada --name Ada --visibility personal --owner ada@example.com",
        ),
        "list": ("archway gateways list --label stage=test",),
        "show": ("archway gateways show sales",),
        "update": (
            "archway gateways update sales --add-header x-request-source",
            "archway gateways update sales --remove-header x-tenant --add-team Support",
            "archway gateways update sales --add-environment Production",
            "archway gateways update sales --tool-loading search_and_run --may-ask elicitation --may-ask sampling",
        ),
        "delete": ("archway gateways delete sales",),
    },
)
GATEWAYS = commands(GATEWAY)

PIN = "Pin to this installation: its name, ENTRY@OWNER or id. Left out, it is resolved from the caller at each call."

ASSIGNMENT = Resource(
    name="assignments",
    one="assignment",
    path="/gateways/{parent}/assignments",
    help="Tools on a gateway: pinned to an installation, or resolved from the caller at call time.",
    columns=("exposed_name", "entry_slug", "tool_name", "installation_name", "tool_state", "id"),
    for_people=with_pins,
    names=("exposed_name",),
    parent=Option("gateway", "The gateway that shows the tools.", of="gateway"),
    create=(
        Option("entry", "The entry whose tools to assign.", needed=True),
        Option("installation", PIN),
        Option(
            "tools",
            "A tool, all_resources, all_prompts, or * for all tools; may be repeated.",
            "list",
            flag="tool",
            needed=True,
        ),
        Option("prefix", "Whether exposed names begin with the entry's slug.", "flag"),
        Option("exposed_name", "The name that clients see, for exactly one tool."),
    ),
    update=(
        Option("exposed_name", "The name that clients see."),
        Option("installation", "Pin to this installation, by its name, ENTRY@OWNER or id."),
    ),
    examples={
        "create": (
            "archway assignments create --gateway sales --entry crm --tool '*'",
            "archway assignments create --gateway sales --entry wiki --tool all_resources --tool all_prompts",
            "archway assignments create --gateway sales --entry time --installation Time --tool get_current_time",
            "archway assignments create --gateway support --entry crm --installation crm@Support --tool '*'",
        ),
        "list": ("archway assignments list --gateway sales",),
        "show": ("archway assignments show crm__find_contact --gateway sales",),
        "update": (
            "archway assignments update crm__find_contact --gateway sales --exposed-name find_contact",
            "archway assignments update crm__find_contact --gateway sales --installation crm@Support",
        ),
        "delete": ("archway assignments delete crm__find_contact --gateway sales",),
    },
)
ASSIGNMENTS = commands(ASSIGNMENT)
