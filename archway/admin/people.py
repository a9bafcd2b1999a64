"""Users, teams and tokens on the command line."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from archway.admin.body import BadOption
from archway.admin.commands import commands, explained
from archway.admin.completion import offering
from archway.admin.connection import connect
from archway.admin.form import Form, with_form
from archway.admin.lookup import find, find_in
from archway.admin.names import with_token_owners
from archway.admin.resource import Action, Option, Resource
from archway.admin.show import show_list, show_one
from archway.options import DEFAULT_STATE, State

ROLES = ("admin", "editor", "member")
ROLE = Option("role", "admin, editor or member.", words=ROLES)
TeamNamed = Annotated[str, typer.Argument(help="The team's name or id.")]
UserNamed = Annotated[str, typer.Argument(help="The user's e-mail, name or id.")]

USER = Resource(
    name="users",
    one="user",
    path="/users",
    help="People who use this deployment.",
    columns=("name", "email", "role", "disabled_at", "id"),
    names=("email", "name"),
    filters=(Option("email", "Only this address."), ROLE),
    create=(Option("name", "Full name.", needed=True), Option("email", "Address; unique.", needed=True), ROLE),
    update=(Option("name", "Full name."), Option("email", "Address; unique."), ROLE),
    actions=(
        Action(
            "disable", "Refuse a user everywhere, within a second; only browser sessions end for good.", "disabled"
        ),
        Action("enable", "Let a disabled user in again.", "enabled"),
        Action("end-sessions", "End all browser sessions of a user.", "ended"),
    ),
    examples={
        "create": ("archway users create --name 'Ada Lovelace' --email ada@example.com --role admin",),
        "list": ("archway users list", "archway users list --role admin"),
        "show": ("archway users show ada@example.com",),
        "update": ("archway users update ada@example.com --role admin",),
        "delete": ("archway users delete ada@example.com",),
        "disable": ("archway users disable ada@example.com",),
        "enable": ("archway users enable ada@example.com",),
        "end-sessions": ("archway users end-sessions ada@example.com",),
    },
)
USERS = commands(USER)


@USERS.command("my-claims")
@with_form
def my_claims(state: State = DEFAULT_STATE, form: Form = Form.TABLE) -> None:
    """List what your identity provider said of you at your last sign-in, and what each of it gives you here.

    Nobody else is shown this. Where a group gives nothing, ask an admin for a rule.

    [bold]Example[/bold]

      archway users my-claims
    """
    with explained():
        found: list[dict[str, Any]] = connect(state).get("/me/claims")["items"]
        show_list(found if form.for_programs else _values(found), ("provider", "claim", "value", "gives"), form)


def _values(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each value; for a claim without any, what is to be said of it."""
    return [
        {"provider": one["provider"], "claim": claim["name"], "value": value["value"], "gives": value["gives"]}
        for one in said
        for claim in one["claims"]
        for value in claim["values"] or [{"value": "", "gives": claim["note"]}]
    ]


TEAM = Resource(
    name="teams",
    one="team",
    path="/teams",
    help="Teams, and who belongs to them.",
    columns=("name", "description", "id"),
    names=("name",),
    filters=(Option("name", "Only the team of this name, in whatever case."),),
    create=(Option("name", "Unique name.", needed=True), Option("description", "What the team is for.")),
    update=(Option("name", "Unique name."), Option("description", "What the team is for.")),
    examples={
        "create": ("archway teams create --name Platform",),
        "list": ("archway teams list",),
        "show": ("archway teams show Platform",),
        "update": ("archway teams update Platform --description 'Runs the machines'",),
        "delete": ("archway teams delete Platform",),
    },
)
TEAMS = commands(TEAM)


@TEAMS.command("members")
@with_form
def members(team: TeamNamed, state: State = DEFAULT_STATE, form: Form = Form.TABLE) -> None:
    """List a team's members.

    [bold]Example[/bold]

      archway teams members Platform
    """
    with explained():
        api = connect(state)
        path = f"/teams/{find(api, 'team', team)}/members"
        show_list(api.pages(path), ("name", "email", "role", "user_id"), form)


@TEAMS.command("add")
@with_form
def add(
    team: TeamNamed,
    user: UserNamed,
    role: Annotated[str, typer.Option(help="admin, editor or member.", autocompletion=offering(ROLES))] = "member",
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Make a user a member of a team, or change the role there.

    [bold]Example[/bold]

      archway teams add Platform ada@example.com --role admin
    """
    with explained():
        api = connect(state)
        path = f"/teams/{find(api, 'team', team)}/members/{find(api, 'user', user)}"
        show_one(api.put(path, {"role": role}), form, ("name", "email", "role"))


@TEAMS.command("remove")
def remove(team: TeamNamed, user: UserNamed, state: State = DEFAULT_STATE) -> None:
    """Remove a user from a team; the access that the team gave ends within a second.

    [bold]Example[/bold]

      archway teams remove Platform ada@example.com
    """
    with explained():
        api = connect(state)
        api.delete(f"/teams/{find(api, 'team', team)}/members/{find(api, 'user', user)}")
        typer.echo("removed")


def _shown_once(made: dict[str, Any]) -> str:
    return "\nThe secret is shown now and never again; only its digest is kept." if made.get("secret") else ""


def _is_revoked(token: Mapping[str, Any]) -> bool:
    return token.get("state") == "revoked"


EXPIRES_IN = Option(
    "expires_at", "How long it is good from now on, such as 90d, 12h or 2w.", "period", flag="expires_in"
)
TOKEN = Resource(
    name="tokens",
    one="token",
    path="/tokens",
    help="Bearer tokens of users, teams and the organisation.",
    columns=("name", "owner", "use", "kind", "state", "expires_at", "last_used_at", "id"),
    for_people=with_token_owners,
    names=("name",),
    spent=_is_revoked,
    filters=(
        Option("use", "Only those for calling gateways, or for the admin api."),
        Option("kind", "user, team or organisation."),
        Option("user_id", "Only this user's.", "reference", of="user", flag="user"),
        Option("team_id", "Only this team's.", "reference", of="team", flag="team"),
        Option("created_by", "Only those that this user made, for whomever.", "reference", of="user", flag="made_by"),
    ),
    create=(
        Option("name", "Where it is used.", needed=True),
        Option("use", "What it opens: gateways, unless said otherwise, or the admin api. No token opens both."),
        Option("kind", "user, team or organisation; user unless said otherwise."),
        Option("user_id", "The user that it is for; by default yourself.", "reference", of="user", flag="user"),
        Option("team_id", "The team, with the kind team.", "reference", of="team", flag="team"),
        EXPIRES_IN,
        Option(
            "expires_at",
            "When it expires, with time zone, such as 2027-01-31T00:00:00Z; without either, it does not expire.",
        ),
    ),
    update=(
        Option("name", "Where it is used."),
        EXPIRES_IN,
        Option("expires_at", "When it expires, with time zone, such as 2027-01-31T00:00:00Z."),
    ),
    after_create=_shown_once,
    examples={
        "create": (
            "archway tokens create --name laptop --user ada@example.com --expires-in 90d",
            "archway tokens create --name ci --kind team --team Platform --expires-at 2027-01-31T00:00:00Z",
            "archway tokens create --name ada-scripts --use api --user ada@example.com --expires-in 30d",
        ),
        "list": ("archway tokens list --user ada@example.com", "archway tokens list --use api"),
        "show": ("archway tokens show laptop",),
        "update": ("archway tokens update laptop --expires-in 2w",),
        "delete": ("archway tokens delete laptop",),
    },
)
TOKENS = commands(TOKEN)


@TOKENS.command("revoke")
@with_form
def revoke(
    token: Annotated[str | None, typer.Argument(help="Its id or name.")] = None,
    all_of: Annotated[
        str | None, typer.Option("--all-of", help="All tokens of this user: e-mail, name or id.")
    ] = None,
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Refuse a token from now on, everywhere within a second; or all tokens of a user.

    Of several tokens with one name the one that is not revoked yet is meant.

    [bold]Examples[/bold]

      archway tokens revoke laptop
      archway tokens revoke --all-of ada@example.com
    """
    with explained():
        if (token is None) == (all_of is None):
            raise BadOption("name a token, or a user with --all-of: one of the two")
        api = connect(state)
        if token is not None:
            found = find_in(api, "/tokens", TOKEN.names, token, "token", spent=_is_revoked)
            show_one(api.post(f"/tokens/{found}/revoke"), form, TOKEN.columns)
            return
        answer = api.post(f"/users/{find(api, 'user', all_of or '')}/revoke-tokens")
        if form.for_programs:
            show_one(answer, form)
        else:
            number = answer["revoked"]
            typer.echo(f"{number} {'token' if number == 1 else 'tokens'} revoked")


@TOKENS.command("identify")
@with_form
def identify(
    token: Annotated[
        str | None, typer.Argument(help="The token, or its SHA-256 in hexadecimal; asked for when left out.")
    ] = None,
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Say to whom a found token belongs, and whether it is still accepted.

    Do not pass a token that is still secret as an argument: leave it out, and the command asks for it.

    [bold]Examples[/bold]

      archway tokens identify                     asks for the token
      archway tokens identify arch_...            one that leaked already
    """
    found = token or typer.prompt("Token", hide_input=True)
    is_digest = len(found) == 64 and not found.startswith("arch_")
    with explained():
        answer = connect(state).post("/tokens/identify", {"digest" if is_digest else "token": found})
        if form.for_programs:
            show_one(answer, form)
        elif answer.get("token"):
            show_one(answer["token"], form, TOKEN.columns)
        elif not answer.get("well_formed"):
            typer.echo("not a token of Archway: its shape or its checksum is wrong")
        else:
            typer.echo("there is no such token, or you may not see it")
    if not answer.get("token"):
        raise typer.Exit(1)
