"""The form of an OAuth client: what the admin API takes, made of its fields, and its fields made of a client."""

import json
from typing import Any

from control.console.forms import Form
from control.http.problems import invalid
from control.registry.oauth_client import OAuthClient

_LONGEST_KEYS = 32 << 10


def new_client_form() -> Form:
    """The form before anything was typed: a client that signs people in, with a secret."""
    return Form(
        {
            "name": "", "acts": "for_people", "team_id": "", "redirect_uris": "",
            "auth_method": "client_secret_basic", "refreshes": "true", "jwks_uri": "", "jwks": "",
        }
    )  # fmt: skip


def form_of_client(client: OAuthClient) -> Form:
    """The form of a client as it is kept."""
    return Form(
        {
            "name": client.name,
            "team_id": client.team_id or "",
            "redirect_uris": "\n".join(client.redirect_uris),
            "auth_method": client.auth_method,
            "refreshes": "true" if client.refreshes else "",
            "jwks_uri": client.jwks_uri,
            "jwks": json.dumps(client.jwks, indent=2) if client.jwks else "",
            "version": str(client.version),
        }
    )


def made_of(form: Form) -> dict[str, Any]:
    """The fields of a client that are no single text in the form. Raises Problem for keys that are no JSON."""
    return {
        "redirect_uris": form.lines("redirect_uris"),
        "refreshes": form.flag("refreshes"),
        "team_id": form.value("team_id") or None,
        "jwks": _keys_of(form.value("jwks")),
    }


def _keys_of(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        keys = json.loads(text) if len(text) <= _LONGEST_KEYS else None
    except (ValueError, RecursionError):
        keys = None
    if not isinstance(keys, dict):
        raise invalid("jwks", "must be a JSON object with the member `keys`")
    return keys
