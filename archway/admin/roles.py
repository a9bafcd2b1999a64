"""Roles on the command line: sets of permissions, and who holds them."""

from typing import Annotated, Any

import typer

from archway.admin.commands import commands, explained
from archway.admin.connection import connect
from archway.admin.form import Form, with_form
from archway.admin.lookup import find
from archway.admin.resource import Option, Resource, in_parts
from archway.admin.show import show_list, show_one
from archway.options import DEFAULT_STATE, State

RoleNamed = Annotated[str, typer.Argument(help="The role's name or id.")]
UserNamed = Annotated[str, typer.Argument(help="The user's e-mail, name or id.")]
ForTeam = Annotated[
    str | None, typer.Option("--team", help="For this team: its name or id; left out: for the whole organisation.")
]
_WHAT = "A permission that it holds (`archway roles permissions` lists all)"

ROLE = Resource(
    name="roles",
    one="role",
    path="/roles",
    help="Roles of your own: sets of permissions, held for everything or for one team. There are always the roles "
    "admin, editor and member, which `archway users` and `archway teams add` give.",
    columns=("name", "permissions", "description", "id"),
    names=("name",),
    filters=(Option("name", "Only the role of this name, in whatever case."),),
    create=(
        Option("name", "Unique name.", needed=True),
        Option("description", "What the role is for."),
        Option("permissions", f"{_WHAT}; may be repeated.", "list", flag="permission"),
    ),
    update=(
        Option("name", "Unique name."),
        Option("description", "What the role is for."),
        *in_parts("permissions", "permission", "list", _WHAT),
    ),
    examples={
        "create": (
            "archway roles create --name Auditor --permission record:read --permission audit:read",
            "archway roles create --name 'Team curator' --permission entry:create --permission entry:update",
        ),
        "list": ("archway roles list",),
        "show": ("archway roles show Auditor",),
        "update": ("archway roles update Auditor --add-permission gap:read",),
        "delete": ("archway roles delete Auditor",),
    },
)
ROLES = commands(ROLE)


@ROLES.command("permissions")
@with_form
def permissions(state: State = DEFAULT_STATE, form: Form = Form.TABLE) -> None:
    """List every permission: what it lets somebody do, and who holds it without a role of yours.

    `role` and `team` name the least role that holds it, for everything and for its team.

    [bold]Examples[/bold]

      archway roles permissions
      archway roles permissions --json
    """
    with explained():
        found: list[dict[str, Any]] = connect(state).get("/permissions")["items"]
        show_list(found, ("name", "meaning", "own", "shown", "team", "role", "held"), form)


@ROLES.command("holders")
@with_form
def holders(role: RoleNamed, state: State = DEFAULT_STATE, form: Form = Form.TABLE) -> None:
    """List who holds a role: for a team, or where none is shown for everything.

    [bold]Example[/bold]

      archway roles holders Auditor
    """
    with explained():
        api = connect(state)
        found = api.pages(f"/roles/{find(api, 'role', role)}/holders")
        show_list(found, ("name", "email", "team", "user_id"), form)


@ROLES.command("give")
@with_form
def give(
    role: RoleNamed, user: UserNamed, team: ForTeam = None, state: State = DEFAULT_STATE, form: Form = Form.TABLE
) -> None:
    """Give somebody a role, for everything or for one team that they are in. Nobody gives what they do not hold.

    [bold]Examples[/bold]

      archway roles give Auditor ada@example.com
      archway roles give 'Team curator' ada@example.com --team Platform
    """
    with explained():
        api = connect(state)
        path = f"/roles/{find(api, 'role', role)}/holders/{find(api, 'user', user)}"
        body = {"team_id": find(api, "team", team)} if team else {}
        show_one(api.put(path, body), form, ("role", "name", "email", "team"))


@ROLES.command("take")
def take(role: RoleNamed, user: UserNamed, team: ForTeam = None, state: State = DEFAULT_STATE) -> None:
    """Take a role from somebody, as they hold it for one team, or without --team for everything.

    [bold]Examples[/bold]

      archway roles take Auditor ada@example.com
      archway roles take 'Team curator' ada@example.com --team Platform
    """
    with explained():
        api = connect(state)
        path = f"/roles/{find(api, 'role', role)}/holders/{find(api, 'user', user)}"
        api.delete(path, team_id=find(api, "team", team) if team else None)
        typer.echo("taken")
