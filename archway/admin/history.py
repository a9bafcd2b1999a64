"""Records of calls and the audit of changes on the command line."""

from typing import Any

from archway.admin.commands import commands
from archway.admin.names import with_objects
from archway.admin.resource import Option, Resource
from archway.admin_client import AdminApi, Problem


def named(api: AdminApi, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records with the caller's e-mail or team's name and the gateway's slug; identifiers where those are gone."""
    known: dict[str, str] = {}

    def name(path: str, key: str, otherwise: str) -> str:
        if path not in known:
            try:
                known[path] = str(api.get(path).get(key) or otherwise)
            except Problem:  # deleted since, or not for the asker to see
                known[path] = otherwise
        return known[path]

    def caller(principal: str) -> str:
        kind, _, number = principal.partition(":")
        if kind == "team":
            return f"team:{name(f'/teams/{number}', 'name', number)}"
        return name(f"/users/{number}", "email", principal) if kind == "user" else principal

    def gateway(number: str) -> str:
        return name(f"/gateways/{number}", "slug", number) if number else ""

    return [
        {**one, "principal": caller(str(one["principal"])), "gateway": gateway(str(one["gateway_id"]))}
        for one in records
    ]


RECORD = Resource(
    name="records",
    one="record",
    path="/records",
    help="Records of calls: who called what, through which gateway, and how it ended.",
    columns=("time", "principal", "gateway", "tool", "decision", "status", "duration_ms", "request_id"),
    filters=(
        Option("gateway", "Only through this gateway.", "reference", of="gateway"),
        Option("principal", "Only of this caller: e-mail or name, team:NAME, or organisation.", "principal"),
        Option("tool", "Only of this tool, by the name that clients see."),
        Option("status", "Only with this outcome: ok, tool_error, cancelled, or the reason of a refusal."),
        Option("decision", "allowed or refused."),
        Option("from", "Not before this moment, with time zone.", flag="since"),
        Option("to", "Not after this moment, with time zone.", flag="until"),
    ),
    for_people=named,
    delete=False,
    show=False,
    examples={"list": ("archway records list --gateway demo --since 2026-11-01T00:00:00Z --limit 20",)},
)
RECORDS = commands(RECORD)
GAP = Resource(
    name="gaps",
    one="gap",
    path="/records/gaps",
    help="Records that never arrived, by proxy worker and time.",
    columns=("worker", "first_number", "last_number", "dropped", "after_time", "before_time"),
    filters=(
        Option("worker", "Only of this worker."),
        Option("from", "Noticed not before this moment, with time zone.", flag="since"),
        Option("to", "Noticed not after this moment, with time zone.", flag="until"),
    ),
    delete=False,
    show=False,
    listed_alone=True,
    examples={"": ("archway records gaps", "archway records gaps --json"), "list": ("archway records gaps list",)},
)
RECORDS.add_typer(commands(GAP), name="gaps")

AUDIT_RECORD = Resource(
    name="audit",
    one="audit record",
    path="/audit",
    help="What was changed through the admin API, by whom and from where.",
    columns=("at", "actor", "action", "object_kind", "object", "address", "object_id", "request_id"),
    for_people=with_objects,
    filters=(
        Option("actor_id", "Only by this user.", "reference", of="user", flag="actor"),
        Option("action", "Only this action: create, update, delete, revoke, enable, disable or discover."),
        Option(
            "object_kind",
            "Only on objects of this kind: user, team, membership, token, entry, tool, installation, gateway or "
            "assignment.",
        ),
        Option("object_id", "Only on this object."),
        Option("since", "Not before this moment, with time zone."),
        Option("until", "Not after this moment, with time zone."),
    ),
    delete=False,
    show=False,
    examples={"list": ("archway audit list --object-kind token --json",)},
)
AUDIT = commands(AUDIT_RECORD)
