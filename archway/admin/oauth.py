"""OAuth clients and grants on the command line: which programs sign people in, and what people allowed them."""

from typing import Annotated, Any

import typer

from archway.admin.body import BadOption
from archway.admin.commands import commands, explained
from archway.admin.connection import connect
from archway.admin.form import Form, with_form
from archway.admin.lookup import find
from archway.admin.resource import Action, Option, Resource, in_parts
from archway.admin.show import show_one
from archway.options import DEFAULT_STATE, State

ClientNamed = Annotated[str, typer.Argument(help="The client's name or id.")]
_REDIRECT = "Where people may be sent back to"
_METHODS = "How it proves itself: none, client_secret_basic, client_secret_post or private_key_jwt"


def _shown_once(made: dict[str, Any]) -> str:
    if not made.get("client_secret"):
        return ""
    return "\nThe secret is shown now and never again; only its digest is kept."


CLIENT = Resource(
    name="oauth-clients",
    one="OAuth client",
    path="/oauth-clients",
    help="OAuth clients: those that you register, and those that came by themselves.",
    columns=("name", "kind", "acts", "client_id", "last_used_at", "disabled_at", "id"),
    names=("name", "client_id"),
    filters=(
        Option("kind", "registered, dynamic (by itself) or document (known by its own)."),
        Option("name", "Only those of this name, in whatever case."),
    ),
    create=(
        Option("name", "What people read when it asks them.", needed=True),
        Option("acts", "for_people, or by_itself with client credentials."),
        Option("team_id", "With by_itself: the team as whose member it calls.", "reference", of="team", flag="team"),
        Option("redirect_uris", f"{_REDIRECT}; may be repeated.", "list", flag="redirect"),
        Option("auth_method", f"{_METHODS}."),
        Option("refreshes", "It gets refresh tokens without asking for offline_access.", "flag"),
        Option("jwks", "Its public keys as JSON, for private_key_jwt.", "json", example='{"keys": [{"kty": "EC"}]}'),
        Option("jwks_uri", "Where its public keys are, for private_key_jwt."),
    ),
    update=(
        Option("name", "What people read when it asks them."),
        Option("team_id", "With by_itself: the team as whose member it calls.", "reference", of="team", flag="team"),
        *in_parts("redirect_uris", "redirect", "list", _REDIRECT),
        Option("auth_method", f"{_METHODS}."),
        Option("refreshes", "It gets refresh tokens without asking for offline_access.", "flag"),
        Option("jwks", "Its public keys as JSON, for private_key_jwt.", "json", example='{"keys": [{"kty": "EC"}]}'),
        Option("jwks_uri", "Where its public keys are, for private_key_jwt."),
    ),
    actions=(
        Action("disable", "Shut a client out: none of its tokens is accepted any more.", "disabled"),
        Action("enable", "Let a client in again.", "enabled"),
    ),
    after_create=_shown_once,
    examples={
        "create": (
            "archway oauth-clients create --name 'Open WebUI' --redirect https://chat.example.com/oauth/callback",
            "archway oauth-clients create --name nightly --acts by_itself --team Platform",
        ),
        "list": ("archway oauth-clients list --kind dynamic",),
        "show": ("archway oauth-clients show 'Open WebUI'",),
        "update": (
            "archway oauth-clients update 'Open WebUI' --add-redirect https://chat2.example.com/oauth/callback",
        ),
        "delete": ("archway oauth-clients delete 'Open WebUI'",),
        "disable": ("archway oauth-clients disable nightly",),
        "enable": ("archway oauth-clients enable nightly",),
    },
)
OAUTH_CLIENTS = commands(CLIENT)


@OAUTH_CLIENTS.command("renew-secret")
@with_form
def renew_secret(oauth_client: ClientNamed, state: State = DEFAULT_STATE, form: Form = Form.TABLE) -> None:
    """Give a client another secret, which is shown once; the one before opens nothing any more.

    [bold]Example[/bold]

      archway oauth-clients renew-secret nightly
    """
    with explained():
        api = connect(state)
        made = api.post(f"/oauth-clients/{find(api, 'oauth_client', oauth_client)}/renew-secret")
        show_one(made, form, ("name", "client_id", "client_secret"))


GRANT = Resource(
    name="grants",
    one="grant",
    path="/grants",
    help="What people allowed OAuth clients, and what clients do by themselves.",
    columns=("client_name", "user_name", "gateway_slug", "redirect_host", "last_used_at", "state", "id"),
    names=("client_name",),
    filters=(
        Option("user_id", "Only this user's.", "reference", of="user", flag="user"),
        Option("client_id", "Only this client's.", "reference", of="oauth_client", flag="client"),
        Option("gateway_id", "Only for this gateway.", "reference", of="gateway", flag="gateway"),
    ),
    delete=False,
    examples={
        "list": ("archway grants list --user ada@example.com", "archway grants list --client 'Open WebUI'"),
        "show": ("archway grants show 'Open WebUI'",),
    },
)
GRANTS = commands(GRANT)


@GRANTS.command("revoke")
@with_form
def revoke(
    grant: Annotated[str | None, typer.Argument(help="The grant's id.")] = None,
    all_of: Annotated[
        str | None, typer.Option("--all-of", help="All that this user allowed: e-mail, name or id.")
    ] = None,
    client: Annotated[
        str | None, typer.Option("--client", help="All that people allowed this client: its name or id.")
    ] = None,
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Take back what somebody allowed a client; or all that one user, or everybody, allowed. It ends within a second.

    [bold]Examples[/bold]

      archway grants revoke 0199c1f2-6d7c-7c1a-b1de-0f6f5f1f3a10
      archway grants revoke --all-of ada@example.com
      archway grants revoke --client 'Open WebUI'
    """
    with explained():
        if [grant, all_of, client].count(None) != 2:
            raise BadOption("name a grant, a user with --all-of, or a client with --client: one of the three")
        api = connect(state)
        if grant is not None:
            show_one(api.post(f"/grants/{grant}/revoke"), form, GRANT.columns)
            return
        path = (
            f"/users/{find(api, 'user', all_of)}/revoke-grants"
            if all_of is not None
            else f"/oauth-clients/{find(api, 'oauth_client', client or '')}/revoke-grants"
        )
        answer = api.post(path)
        if form.for_programs:
            show_one(answer, form)
        else:
            number = answer["revoked"]
            typer.echo(f"{number} {'grant' if number == 1 else 'grants'} revoked")
