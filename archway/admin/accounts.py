"""Signing in at the providers of servers, on the command line: what was found of one, the link for a browser, tokens
that are deposited, and the end of an account.

The commands stand beside those of entries and installations.
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import typer

from archway.admin.body import LONGEST_FILE, BadOption
from archway.admin.commands import explained
from archway.admin.connection import connect
from archway.admin.entries import ENTRIES
from archway.admin.form import Form, with_form
from archway.admin.installations import INSTALLATIONS
from archway.admin.lookup import find
from archway.admin.show import show_one
from archway.options import DEFAULT_STATE, State

EntryNamed = Annotated[str, typer.Argument(help="The entry's slug, name or id.")]
InstallationNamed = Annotated[
    str, typer.Argument(help="The installation's address such as crm@ada@example.com, name or id.")
]
_TOKENS: Final = {"access_token", "refresh_token", "expires_in", "scope", "issuer"}
_SHOWN: Final = ("address", "state", "state_reason", "account")


@ENTRIES.command("sign-in")
@with_form
def sign_in(entry: EntryNamed, state: State = DEFAULT_STATE, form: Form = Form.TABLE) -> None:
    """Look at the provider at which people sign in for an entry: what it says, and what you have to do first.

    The callback URL is what you enter in the provider's own form.

    [bold]Example[/bold]

      archway entries sign-in github
    """
    with explained():
        api = connect(state)
        show_one(api.get(f"/entries/{find(api, 'entry', entry)}/sign-in"), form)


@ENTRIES.command("approve-hosts")
@with_form
def approve_hosts(
    entry: EntryNamed,
    hosts: Annotated[list[str], typer.Argument(help="Origins such as https://oauth2.googleapis.com.")],
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Let people sign in at a provider with endpoints at hosts that are not its own, once you have looked at them.

    [bold]Example[/bold]

      archway entries approve-hosts calendar https://oauth2.googleapis.com https://www.googleapis.com
    """
    with explained():
        for host in hosts:
            if urlsplit(host).scheme not in {"http", "https"}:
                raise BadOption(f"{host}: give an origin, such as https://oauth2.googleapis.com")
        api = connect(state)
        path = f"/entries/{find(api, 'entry', entry)}"
        found, version = api.read(path)
        placement = found["credential_placement"]
        approved = list(dict.fromkeys([*placement.get("approved_hosts", []), *hosts]))
        changed = api.patch(path, {"credential_placement": {**placement, "approved_hosts": approved}}, version)
        show_one(changed, form, ("slug", "credential_model", "credential_placement"))


@INSTALLATIONS.command("sign-in")
@with_form
def link(installation: InstallationNamed, state: State = DEFAULT_STATE, form: Form = Form.TABLE) -> None:
    """Print the link with which its owner signs in for an installation, or gives its answers, again, in a browser.

    The link gives nobody anything: whoever opens it must be who it is for.

    [bold]Example[/bold]

      archway installations sign-in crm@ada@example.com
    """
    with explained():
        api = connect(state)
        found = api.get(f"/installations/{find(api, 'installation', installation)}")
        if form.for_programs:
            show_one(found, form)
            return
        typer.echo(found["sign_in_link"])


@INSTALLATIONS.command("deposit")
@with_form
def deposit(
    installation: InstallationNamed,
    tokens_file: Annotated[
        str,
        typer.Argument(
            help="A file with what the provider's token endpoint answered, or - for the standard input: JSON with "
            "access_token, and refresh_token, expires_in, scope where there are such; and issuer, the provider, "
            "which is needed with a refresh_token unless the entry names it."
        ),
    ],
    state: State = DEFAULT_STATE,
    form: Form = Form.TABLE,
) -> None:
    """Give an installation tokens that you got from its provider elsewhere, then ask its server for its tools.

    [bold]Example[/bold]

      archway installations deposit crm@ada@example.com tokens.json
    """
    with explained():
        api = connect(state)
        path = f"/installations/{find(api, 'installation', installation)}/account"
        show_one(api.put(path, _tokens(tokens_file)), form, _SHOWN)


@INSTALLATIONS.command("disconnect")
def disconnect(installation: InstallationNamed, state: State = DEFAULT_STATE) -> None:
    """Take its account away from an installation: its calls end, and its provider is told.

    [bold]Example[/bold]

      archway installations disconnect crm@ada@example.com
    """
    with explained():
        api = connect(state)
        api.delete(f"/installations/{find(api, 'installation', installation)}/account")
        typer.echo("disconnected")


def _tokens(name: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read(LONGEST_FILE) if name == "-" else Path(name).read_text()
        found = json.loads(text)
    except (OSError, ValueError):  # what stands in it is not repeated: it may be a token
        raise BadOption(f"{name}: must hold one JSON object with access_token") from None
    if not isinstance(found, dict) or not found.get("access_token"):
        raise BadOption(f"{name}: must hold one JSON object with access_token")
    return {member: value for member, value in found.items() if member in _TOKENS and value is not None}
