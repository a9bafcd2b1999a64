"""Bodies of the admin API for OAuth clients. The secret of one is in the answer that makes it, and in no other."""

from typing import Annotated, Any

from pydantic import Field

from control.http.models import Change, Id, Item, Model, Moment, Name, View, Worded
from control.http.paging import NamedPageQuery
from control.registry.oauth_client import Acts, AuthMethod, Kind
from control.registry.redirects import LONGEST, MOST

Redirects = Annotated[
    list[Annotated[str, Worded(r"[!-~]+", "must be a URI in ASCII without spaces", shortest=1, longest=LONGEST)]],
    Field(max_length=MOST),
]
Url = Annotated[str, Worded(r"[!-~]*", "must be a URL without spaces", longest=LONGEST)]


class OAuthClientFields(Model):
    """Fields of a client that an admin sets. `ClientFields` of `control/registry/oauth_client.py` has their names."""

    name: Name = Field(description="Shown to the people whom it asks.")
    team_id: Id | None = Field(
        None, description="Of a client that acts by itself: as whose member it calls; null: of no team."
    )
    redirect_uris: Redirects = Field(
        default_factory=list, description="Where people may be sent back to, to the letter."
    )
    auth_method: AuthMethod = Field("client_secret_basic", description="How it proves itself.")
    refreshes: bool = Field(True, description="Whether it gets refresh tokens without asking for offline_access.")
    jwks: dict[str, Any] = Field(default_factory=dict, description="Its public keys, for private_key_jwt.")
    jwks_uri: Url = Field("", description="Where its public keys are, for private_key_jwt.")


class NewOAuthClient(OAuthClientFields):
    """A new client, registered by an admin."""

    acts: Acts = Field("for_people", description="`by_itself`: for nobody but itself, with client credentials.")


class OAuthClientChange(OAuthClientFields, Change):
    """What changes of a client that an admin registered: the fields that are named; lists are replaced whole."""


class OAuthClientView(OAuthClientFields, Item):
    """A client as it is shown, without its secret."""

    client_id: str = Field(description="What it calls itself: its id, or the URL of its own document.")
    kind: Kind = Field(description="`registered` by an admin, `dynamic`: by itself, `document`: known by its own.")
    acts: Acts
    has_secret: bool
    created_by: Id | None
    created_at: Moment
    updated_at: Moment
    last_used_at: Moment | None = Field(description="When it was last used, to the minute.")
    disabled_at: Moment | None = Field(description="Since when it is shut out.")
    version: int


class MadeOAuthClient(OAuthClientView):
    """A client with its secret, which is shown now and never again; empty where it has none."""

    client_secret: str
    warnings: list[str] = Field(description="What it cannot do as it is, and what to do.")


class OAuthClientQuery(NamedPageQuery):
    """Filters of the list of clients."""

    kind: Kind | None = None
    name: Annotated[str | None, Field(max_length=128)] = None


class GrantView(View):
    """What a person allowed a client at a gateway, or what a client does there by itself."""

    id: Id
    client_id: str
    client_name: str
    user_id: Id | None = Field(description="Null: the client acts by itself.")
    user_name: str
    gateway_id: Id
    gateway_slug: str
    scopes: list[str]
    redirect_host: str = Field(description="Where the person was sent back to.")
    by_assertion: bool = Field(
        description="Nobody agreed to it here: the gateway's identity provider vouches for the person (ID-JAG)."
    )
    state: str = Field(description="`active`, or why nothing is good by it any more.")
    created_at: Moment
    redeemed_at: Moment | None
    last_used_at: Moment | None = Field(description="When it was last used, to the minute.")
    expires_at: Moment
    revoked_at: Moment | None
    revoked_for: str


class GrantQuery(NamedPageQuery):
    """Filters of the list of grants."""

    user_id: Id | None = None
    client_id: Annotated[Id | None, Field(description="The client's id, as the list of clients has it.")] = None
    gateway_id: Id | None = None


class Revoked(View):
    """The answer to a request that takes back all grants of a person, or of a client."""

    revoked: int
