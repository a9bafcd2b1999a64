"""How people sign in, on the command line: links that let them in once, and the browsers in which they are signed in.

The commands for links stand beside those of users, since a link is some user's.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from archway.admin.commands import commands, explained
from archway.admin.connection import connect
from archway.admin.form import Form, with_form
from archway.admin.lookup import find
from archway.admin.names import with_users
from archway.admin.people import USERS, UserNamed
from archway.admin.resource import Option, Resource
from archway.admin.show import show_list, show_one
from archway.options import DEFAULT_STATE, State

LINK_COLUMNS = ("purpose", "state", "expires_at", "created_at", "used_at", "id")
SESSION = Resource(
    name="sessions",
    one="session",
    path="/sessions",
    help="Browsers in which people are signed in. To delete one ends it; `archway users end-sessions` ends all.",
    columns=("user", "method", "address", "last_used_at", "expires_at", "agent", "id"),
    for_people=with_users,
    names=("id",),
    filters=(Option("user_id", "Only this user's.", "reference", of="user", flag="user"),),
    listed_alone=True,
    examples={
        "list": ("archway sessions", "archway sessions list --user ada@example.com"),
        "show": ("archway sessions show 0198c5d2-0000-7000-8000-000000000000",),
        "delete": ("archway sessions delete 0198c5d2-0000-7000-8000-000000000000",),
    },
)
SESSIONS = commands(SESSION)


@USERS.command("invite")
@with_form
def invite(user: UserNamed, state: State = DEFAULT_STATE, form: Form = Form.TABLE) -> None:
    """Print a link with which a user sets their first password and is signed in; good once, for 7 days.

    Whoever has the link is that user: hand it over by a way that you trust. No mail is sent.

    [bold]Example[/bold]

      archway users create --name 'Ada Lovelace' --email ada@example.com
      archway users invite ada@example.com
    """
    _make(user, "invitation", state, form)


@USERS.command("reset-link")
@with_form
def reset_link(user: UserNamed, state: State = DEFAULT_STATE, form: Form = Form.TABLE) -> None:
    """Print a link with which a user sets another password and is signed in; good once, for a day.

    Setting it ends their sessions in all browsers. Until then the old password holds.

    [bold]Example[/bold]

      archway users reset-link ada@example.com
    """
    _make(user, "reset", state, form)


@USERS.command("sign-in-link")
@with_form
def sign_in_link(user: UserNamed, state: State = DEFAULT_STATE, form: Form = Form.TABLE) -> None:
    """Print a link that signs you in without a password, once; for yourself, with the token of `archway up`.

    [bold]Example[/bold]

      archway users sign-in-link admin@localhost
    """
    _make(user, "sign_in", state, form)


@USERS.command("links")
@with_form
def links(user: UserNamed, state: State = DEFAULT_STATE, form: Form = Form.TABLE) -> None:
    """List the links that were made for a user; their secrets are kept nowhere.

    [bold]Example[/bold]

      archway users links ada@example.com
    """
    with explained():
        api = connect(state)
        show_list(api.pages(f"/users/{find(api, 'user', user)}/links"), LINK_COLUMNS, form)


@USERS.command("take-back-link")
def take_back_link(
    user: UserNamed,
    link: Annotated[str, typer.Argument(help="Its id; `archway users links` lists them.")],
    state: State = DEFAULT_STATE,
) -> None:
    """Take back a link: it opens nothing from now on.

    [bold]Example[/bold]

      archway users take-back-link ada@example.com 0198c5d2-0000-7000-8000-000000000000
    """
    with explained():
        api = connect(state)
        api.delete(f"/users/{find(api, 'user', user)}/links/{link}")
        typer.echo("taken back")


def _make(user: str, purpose: str, state: Path, form: Form) -> None:
    with explained():
        api = connect(state)
        made: dict[str, Any] = api.post(f"/users/{find(api, 'user', user)}/links", {"purpose": purpose})
        if form.for_programs:
            show_one(made, form)
            return
        typer.echo(made["url"])
        typer.echo(f"Good once, until {made['expires_at']}. It is shown now and never again.", err=True)
