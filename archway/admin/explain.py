"""`archway explain`: what would become of a call, check by check, without making it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from archway.admin.commands import explained
from archway.admin.connection import connect
from archway.admin.form import Form, with_form
from archway.admin.lookup import find
from archway.admin.resource import Option
from archway.admin.show import sheet_text, show_one, table_text
from archway.calling.arguments import BadArgument, arguments_of
from archway.options import DEFAULT_STATE, State, refuse

_WORDS: Final = {
    "passed": "passed", "refuses": "REFUSES", "not_reached": "not reached", "at_the_call": "known at the call",
}  # fmt: skip
_USES: Final = {
    "nothing": "nothing",
    "installation": "what the installation holds",
    "sign_in": "what the identity provider gave at the person's own sign-in",
    "own_token": "the token that the caller comes with",
    "statement": "a statement of Archway's about the caller",
}


_OPTIONS: Final = (Option("subject", "", flag="as"), Option("by", ""), Option("client", ""))
"""By which the API's fields go here."""


@with_form
def explain(
    gateway: Annotated[str, typer.Argument(help="Its slug or id.", metavar="GATEWAY")],
    tool: Annotated[str, typer.Argument(help="Its name, as the gateway shows it.", metavar="TOOL")],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(help="name=text, or name:=JSON, as for `archway call`.", metavar="KEY=VALUE"),
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="Who would call: user:EMAIL, team:NAME, organisation, service:CLIENT, external:ID, token:ID "
            "for that very token. Left out: you. Anybody else needs gateway:explain.",
            metavar="WHO",
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", help="How they would authenticate: token, oauth, id_jag or jwt. Left out: as is usual for them."
        ),
    ] = None,
    client: Annotated[
        str,
        typer.Option("--client", help="With --by oauth: the client that a person would come with, by name or ID."),
    ] = "",
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Say what would become of a call: which check would refuse it and why, or what would serve it.

    Nothing is called: no server, no provider, and nothing is counted. What only the call itself can show is said to
    be so. Ends with status 1 where the call would be refused.

    [bold]Examples[/bold]

      archway explain sales crm__find_contact
      archway explain sales crm__find_contact name=Ada --as user:ada@example.com
      archway explain sales crm__find_contact --as user:ada@example.com --by oauth --client claude-code
      archway explain sales crm__find_contact --as token:0199c1f2-6d7c-7c1a-b1de-0f6f5f1f3a10 --json
    """
    with explained(_OPTIONS):
        api = connect(state)
        try:
            given = arguments_of(arguments or (), {})
        except BadArgument as why:
            raise refuse(str(why)) from None
        body = {"tool": tool, "arguments": given, "subject": subject, "by": by, "client": client}
        told = api.post(f"/gateways/{find(api, 'gateway', gateway)}/explain", body)
    if form.for_programs:
        show_one(told, form)
    else:
        typer.echo(in_words(told))
    if told["refused"]:
        raise typer.Exit(1)


def in_words(told: Mapping[str, Any]) -> str:
    """What a person reads: what would happen, then each check, then what would serve."""
    parts = [sheet_text(_outcome(told)), table_text(_stages(told), ("check", "outcome", "why"), longest_cell=10_000)]
    if told["serving"]:
        parts.append(sheet_text(_serving(told)))
    return "\n\n".join(parts)


def _outcome(told: Mapping[str, Any]) -> dict[str, str]:
    caller = told["caller"]
    who = f"{caller['name']} ({caller['kind'].replace('_', ' ')})"
    if not told["refused"]:
        return {"who": who, "outcome": "nothing refuses it"}
    shown = {"who": who, "outcome": f"refused: {told['reason']}", "told": told["sentence"]}
    return shown | {name: told[name] for name in ("cause", "cure") if told[name]}


def _stages(told: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    return [
        {
            "check": one["stage"].replace("_", " "),
            "outcome": _WORDS[one["outcome"]],
            "why": one["why"],
        }
        for one in told["stages"]
    ]


def _serving(told: Mapping[str, Any]) -> dict[str, str]:
    serving, server = told["serving"], told["server"] or {}
    whose, at = serving["owner"] or "the organisation", f"({server['kind']})" if server else ""
    shown = {
        "tool": told["tool"],
        "server": " ".join(filter(None, (serving["entry"], at, server.get("url")))),
        "installation": f"{serving['name']} of {whose}",
        "credential": serving["credential"],
        "server gets": _USES.get(serving["uses"] or "", "nothing"),
        "account": serving["account"],
        "asked first": serving["asks_first"],
        "headers": ", ".join(f"{one['name']} ({one['of']})" for one in told["headers"]),
        "era": server.get("era") or "",
        "deadline": f"{server['deadline_s']:g} s" if server.get("deadline_s") else "",
    }
    return {name: value for name, value in shown.items() if value}
