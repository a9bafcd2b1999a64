"""`archway revoke`: end somebody's access of whatever kind, and say how many workers of proxies have applied it."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from archway.admin.commands import explained
from archway.admin.connection import connect
from archway.admin.form import Form, with_form
from archway.admin.lookup import find, find_in
from archway.admin.people import TOKEN
from archway.admin.show import show_one
from archway.admin_client import AdminApi
from archway.options import DEFAULT_STATE, State, refuse

REVOKE = typer.Typer(
    no_args_is_help=True,
    help="""End the access of a token, client, grant, user, session, identity
    provider or somebody without an account, in every proxy.

    Calls that run and streams that are open end too, within a second.

    The command waits until the workers of proxies have said that they
    applied it (--wait, 5 s), and names those that did not; then its status
    is 1, though the access has ended: it holds in each worker as soon as
    that hears of it.

    [bold]Examples[/bold]

      archway revoke token laptop

      archway revoke user ada@example.com

      archway revoke client 'Open WebUI' --wait 15
    """,
)
Wait = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, max=20, help="Seconds to wait for the workers, at most.")
]
_WAIT: Final = 5.0
_CLIENT_SESSION: Final = 32
"""Hexadecimal digits of a client's session, as records name it; identifiers of ours have dashes."""


@REVOKE.command("token")
@with_form
def token(
    token: Annotated[str, typer.Argument(help="Its id or name.")],
    wait: Wait = _WAIT,
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Refuse a token from now on. Of several with one name the one that is not revoked yet is meant.

    [bold]Example[/bold]

      archway revoke token laptop
    """
    with explained():
        api = connect(state)
        _revoke(api, "tokens", find_in(api, "/tokens", TOKEN.names, token, "token", spent=TOKEN.spent), wait, form)


@REVOKE.command("client")
@with_form
def client(
    oauth_client: Annotated[str, typer.Argument(help="Its name or id.")],
    wait: Wait = _WAIT,
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Shut an OAuth client out, until `archway oauth-clients enable`. What people allowed it stays.

    [bold]Example[/bold]

      archway revoke client 'Open WebUI'
    """
    with explained():
        api = connect(state)
        _revoke(api, "clients", find(api, "oauth_client", oauth_client), wait, form)


@REVOKE.command("grant")
@with_form
def grant(
    grant: Annotated[str, typer.Argument(help="Its id; `archway grants list` shows them.")],
    wait: Wait = _WAIT,
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Take back what somebody allowed an OAuth client at a gateway. The client must ask them again.

    [bold]Example[/bold]

      archway revoke grant 0199c1f2-6d7c-7c1a-b1de-0f6f5f1f3a10
    """
    with explained():
        api = connect(state)
        _revoke(api, "grants", find_in(api, "/grants", ("client_name",), grant, "grant"), wait, form)


@REVOKE.command("user")
@with_form
def user(
    user: Annotated[str, typer.Argument(help="The user's e-mail, name or id.")],
    wait: Wait = _WAIT,
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Shut a user out with all that they have, until `archway users enable`. Their browser sessions end for good.

    [bold]Example[/bold]

      archway revoke user ada@example.com
    """
    with explained():
        api = connect(state)
        _revoke(api, "users", find(api, "user", user), wait, form)


@REVOKE.command("session")
@with_form
def session(
    session: Annotated[
        str, typer.Argument(help="The id of a browser session, or the `session` that a record of a call names.")
    ],
    wait: Wait = _WAIT,
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """End a session: of a browser that somebody is signed in with, or of an MCP client at a gateway.

    Whoever may still come can begin another. To keep them out, revoke what they come with.

    [bold]Examples[/bold]

      archway sessions --user ada@example.com
      archway revoke session 0198c5d2-0000-7000-8000-000000000000

      archway records list --principal ada@example.com --json
      archway revoke session 6f1c0e7a9b2d4f538a7be0c1d2e3f405
    """
    with explained():
        is_clients = len(session) == _CLIENT_SESSION and "-" not in session
        _revoke(connect(state), "client-sessions" if is_clients else "sessions", session, wait, form)


@REVOKE.command("provider")
@with_form
def provider(
    provider: Annotated[str, typer.Argument(help="Its slug, name or id.")],
    wait: Wait = _WAIT,
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Switch an identity provider off, until `archway identity-providers update NAME --enabled`.

    Its tokens are refused at gateways, nobody signs in with it, and browser sessions that it vouched for end.

    [bold]Example[/bold]

      archway revoke provider corp
    """
    with explained():
        api = connect(state)
        _revoke(api, "providers", find(api, "identity_provider", provider), wait, form)


@REVOKE.command("external-principal")
@with_form
def external_principal(
    external_principal: Annotated[str, typer.Argument(help="Their subject at the provider, or their id.")],
    wait: Wait = _WAIT,
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Shut somebody without an account out, until `archway external-principals enable`.

    [bold]Example[/bold]

      archway revoke external-principal zoe@partner.example
    """
    with explained():
        api = connect(state)
        found = find_in(api, "/external-principals", ("subject",), external_principal, "external principal")
        _revoke(api, "external-principals", found, wait, form)


def _revoke(api: AdminApi, kind: str, name: str, wait: float, form: Form) -> None:
    answer: Mapping[str, Any] = api.post(f"/revocations/{kind}/{name}?wait={wait:g}")
    if form.for_programs:
        show_one(answer, form)
    else:
        typer.echo(f"{answer['kind'].replace('_', ' ')} {answer['id']}: revoked")
        if answer["announced"] and not answer["silent"]:
            typer.echo(answer["summary"])
    if not answer["announced"] or answer["silent"]:
        raise refuse(answer["summary"])
