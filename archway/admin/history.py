"""Records of calls and the audit of changes on the command line."""

from archway.admin.commands import commands
from archway.admin.resource import Option, Resource

RECORDS = commands(
    Resource(
        name="records",
        one="record",
        path="/records",
        help="Records of calls: who called what, through which gateway, and how it ended.",
        columns=("time", "principal", "gateway_id", "tool", "decision", "status", "duration_ms", "request_id"),
        filters=(
            Option("gateway", "Only through this gateway.", "reference", of="gateway"),
            Option("principal", "Only of this caller."),
            Option("tool", "Only of this tool."),
            Option("status", "Only with this outcome."),
            Option("decision", "Only with this decision."),
            Option("from", "Not before this moment, with time zone.", flag="since"),
            Option("to", "Not after this moment, with time zone.", flag="until"),
        ),
        delete=False,
        show=False,
        examples={"list": ("archway records list --gateway demo --since 2026-11-01T00:00:00Z --limit 20",)},
    )
)
RECORDS.add_typer(
    commands(
        Resource(
            name="gaps",
            one="gap",
            path="/records/gaps",
            help="Records that never came, by proxy worker and time.",
            columns=("worker", "first_number", "last_number", "dropped", "after_time", "before_time"),
            filters=(
                Option("worker", "Only of this worker."),
                Option("from", "Noticed not before this moment, with time zone.", flag="since"),
                Option("to", "Noticed not after this moment, with time zone.", flag="until"),
            ),
            delete=False,
            show=False,
            examples={"list": ("archway records gaps list --json",)},
        )
    ),
    name="gaps",
)

AUDIT = commands(
    Resource(
        name="audit",
        one="audit record",
        path="/audit",
        help="What was changed through the admin API, by whom and from where.",
        columns=("at", "actor", "action", "object_kind", "object_id", "address", "request_id"),
        filters=(
            Option("actor_id", "Only by this user.", "reference", of="user", flag="actor"),
            Option("action", "Only this action."),
            Option("object_kind", "Only on objects of this kind."),
            Option("object_id", "Only on this object."),
            Option("since", "Not before this moment, with time zone."),
            Option("until", "Not after this moment, with time zone."),
        ),
        delete=False,
        show=False,
        examples={"list": ("archway audit list --object-kind token --json",)},
    )
)
