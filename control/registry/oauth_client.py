"""An OAuth client, as the registry keeps it, and the rules about what a new one may be.

Registered by an admin, by itself (RFC 7591), or known by a document of its own at an https URL. Made by
`control/store/oauth_clients.py` of a row, and of what clients send by `control/oauth/`. Leaves out how a client
proves itself: that is `control/oauth/client_authentication.py`.
"""

import re
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final, Literal, get_args

from control.registry.broken_rule import BrokenRule
from control.registry.redirects import MOST, why_not_registered
from core.resolve import Principal

Kind = Literal["registered", "dynamic", "document"]
"""By an admin, by itself, or by a document of its own."""
Acts = Literal["for_people", "by_itself"]
AuthMethod = Literal["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
AUTH_METHODS: Final[tuple[AuthMethod, ...]] = get_args(AuthMethod)
"""How a client may prove itself, in the order of the metadata."""
ASSERTION_ALGORITHMS: Final = ("RS256", "ES256")
"""What a client with a key of its own may sign its assertions by."""
SECRET_METHODS: Final = ("client_secret_basic", "client_secret_post")
LONGEST_NAME: Final = 128
LONGEST_ID: Final = 1_024
"""Of what a client calls itself; the longest are URLs."""
MAX_CLIENTS: Final = 100
"""That a gateway may name."""
_MARKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFields:
    """The fields of a client that somebody sets."""

    name: str
    acts: Acts = "for_people"
    team_id: str | None = None
    """Of a client that acts by itself: the team as whose it calls; None: it is in no team."""
    redirect_uris: tuple[str, ...] = ()
    auth_method: AuthMethod = "none"
    refreshes: bool = True
    """Whether it gets refresh tokens without asking for `offline_access`."""
    jwks: dict[str, Any] = field(default_factory=dict)
    """Public keys by which it proves itself; empty for none."""
    jwks_uri: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClient(ClientFields):
    """A new client, before it has a row."""

    client_id: str
    """What it calls itself: our identifier, or the URL of its document."""
    kind: Kind
    secret_digest: str | None = None
    content_digest: str | None = None
    """Of what it registered with, so that the same is the same client."""
    created_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient(NewClient):
    """An OAuth client that exists, with when it came and was last used."""

    id: str
    created_at: datetime
    updated_at: datetime
    last_used_at: datetime | None
    disabled_at: datetime | None
    version: int


def client_warnings(client: OAuthClient) -> list[str]:
    """What whoever registered the client should know of it, and what to do."""
    if client.acts != "by_itself" or client.team_id is not None:
        return []
    return [
        "It acts by itself and is in no team, so it may call only gateways that the whole organisation sees: "
        f"archway oauth-clients update {client.client_id} --team TEAM."
    ]


def told_of_client(client: OAuthClient) -> dict[str, Any]:
    """All that people are told of a client, in the words of the admin API; never a digest."""
    hidden = {"secret_digest", "content_digest"}
    told = {one.name: getattr(client, one.name) for one in fields(client) if one.name not in hidden}
    return told | {"redirect_uris": list(client.redirect_uris), "has_secret": client.secret_digest is not None}


def check_registered(wanted: ClientFields) -> None:
    """Raise BrokenRule where an admin's client does not fit together."""
    if wanted.acts == "by_itself":
        if wanted.auth_method == "none":
            raise BrokenRule(
                "auth_method", "must not be none for a client that acts by itself; it has to prove itself"
            )
        if wanted.redirect_uris:
            raise BrokenRule("redirect_uris", "are for clients that act for people; leave them out")
    else:
        _check_for_people(wanted)
    if wanted.auth_method == "private_key_jwt" and bool(wanted.jwks) == bool(wanted.jwks_uri):
        raise BrokenRule("jwks", "or `jwks_uri` must be given for private_key_jwt, one of the two")
    if wanted.auth_method != "private_key_jwt" and (wanted.jwks or wanted.jwks_uri):
        raise BrokenRule("jwks", "is for private_key_jwt alone; leave it out")
    if wanted.jwks_uri and not wanted.jwks_uri.startswith("https://"):
        raise BrokenRule("jwks_uri", "must begin with https://")


def may_call(client_id: str, allowed: tuple[str, ...]) -> bool:
    """Whether a gateway that names its clients lets this one in; one that names none lets in every client."""
    return not allowed or client_id in allowed


def shown_name(text: object, instead: str) -> str:
    """A client's own word for itself, fit to be read by a person; `instead` where it has none."""
    if not isinstance(text, str):
        return instead
    return " ".join(_MARKS.sub(" ", text).split())[:LONGEST_NAME] or instead


def _check_for_people(wanted: ClientFields) -> None:
    if wanted.team_id is not None:
        raise BrokenRule("team_id", "is for clients that act by themselves; leave it out")
    if not wanted.redirect_uris:
        raise BrokenRule("redirect_uris", "are needed for a client that acts for people; give at least one")
    if len(wanted.redirect_uris) > MOST:
        raise BrokenRule("redirect_uris", f"has more than {MOST}")
    for number, uri in enumerate(wanted.redirect_uris):
        if why := why_not_registered(uri):
            raise BrokenRule(f"redirect_uris[{number}]", why)


def principal_of(client_pk: str, name: str, team_id: str | None) -> Principal:
    """Who calls, where a client calls by itself: a member of its team, if it has one."""
    return Principal("service", client_pk, name, frozenset({team_id} if team_id else ()))
