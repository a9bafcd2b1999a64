"""Records of calls and the audit of changes on the command line."""

from dataclasses import replace
from typing import Annotated

import typer

from archway.admin.body import BadOption
from archway.admin.commands import commands, explained
from archway.admin.connection import connect
from archway.admin.form import Form, with_form
from archway.admin.names import with_callers_and_servers, with_objects
from archway.admin.resource import Option, Resource
from archway.admin.show import show_one
from archway.options import DEFAULT_STATE, State
from core.identifiers import is_id

_FORM = "how long ago, such as 90m, 1h or 2d, or a moment with time zone, such as 2027-01-31T00:00:00Z."
_SINCE = Option("from", f"Not before: {_FORM}", "moment", flag="since")
_UNTIL = Option("to", f"Before: {_FORM}", "moment", flag="until")
RECORD = Resource(
    name="records",
    one="record",
    path="/records",
    help="Records of calls: who called what, through which gateway, and how it ended. You see those of your own "
    "calls; an admin of a team also those of its tokens; with record:read one sees all.",
    columns=(
        "time",
        "principal",
        "gateway",
        "server",
        "tool",
        "credential",
        "decision",
        "status",
        "reason",
        "duration_ms",
        "request_id",
    ),
    filters=(
        Option("gateway", "Only through this gateway.", "reference", of="gateway"),
        Option(
            "principal",
            "Only of this caller: e-mail or name, team:NAME, service:NAME, external:ID, or organisation.",
            "principal",
        ),
        Option("tool", "Only of this tool, by the name that clients see."),
        Option("status", "Only with this outcome: ok, tool_error, cancelled, or the reason of a refusal."),
        Option("decision", "allowed or refused."),
        Option("entry", "Only of this server.", "reference", of="entry"),
        Option("installation", "Only with this installation's credential.", "reference", of="installation"),
        Option("client", "Only of clients whose name begins so, in whatever case."),
        Option("request_id", "Only this request, by the X-Request-Id of its answer."),
        _SINCE,
        _UNTIL,
    ),
    for_people=with_callers_and_servers,
    delete=False,
    show=False,
    follow=True,
    examples={
        "list": (
            "archway records list --gateway demo --since 1h",
            "archway records list --entry github --decision refused --since 2026-11-01T00:00:00Z --limit 20",
            "archway records list --client claude --follow",
        )
    },
)
RECORDS = commands(RECORD)


@RECORDS.command("show")
@with_form
def show(
    record: Annotated[str, typer.Argument(help="Its id, which is the X-Request-Id of the answer.")],
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Show one record: who called what, with whose credential, and how it ended.

    [bold]Example[/bold]

      archway records show 01890000-0000-7000-8000-000000000001
    """
    with explained():
        if not is_id(record):
            raise BadOption("a record is named by its id, the X-Request-Id of the answer; see `archway records list`")
        api = connect(state)
        found = api.get(f"/records/{record}")
        show_one(found if form.for_programs else with_callers_and_servers(api, [found])[0], form, RECORD.columns)


GAP = Resource(
    name="gaps",
    one="gap",
    path="/records/gaps",
    help="Records that never arrived, by proxy worker and time.",
    columns=("worker", "first_number", "last_number", "dropped", "after_time", "before_time"),
    filters=(
        Option("worker", "Only of this worker."),
        replace(_SINCE, help=f"Noticed. {_SINCE.help}"),
        replace(_UNTIL, help=f"Noticed. {_UNTIL.help}"),
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
        Option("action", "Only this action: create, update, delete, revoke, enable, disable, discover or explain."),
        Option(
            "object_kind",
            "Only on objects of this kind: user, team, membership, role, role_holder, token, entry, tool, "
            "installation, gateway, assignment, sign_in_link, password, session, client_session, identity_provider, "
            "identity, oauth_client, grant, pull_secret, environment, egress_preset or external_principal.",
        ),
        Option("object_id", "Only on this object."),
        replace(_SINCE, name="since"),
        replace(_UNTIL, name="until"),
    ),
    delete=False,
    show=False,
    examples={"list": ("archway audit list --object-kind token --json",)},
)
AUDIT = commands(AUDIT_RECORD)
