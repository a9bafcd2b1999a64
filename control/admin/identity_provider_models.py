"""Bodies of the admin API for identity providers, what was last seen of them, and who people are there."""

from typing import Annotated, Any, Literal

from pydantic import Field as Bound

from control.admin.entry_models import Slug
from control.http.models import MARKS, Change, Email, Id, Item, Model, Moment, Name, View, Worded
from control.http.paging import NamedPageQuery
from control.registry.actions import Role
from control.registry.identity_provider import ClientAuthentication
from control.registry.job_rules import MAX_CLAIMS, MAX_SERVICE_RULES
from control.registry.provider_rules import MAX_RULES
from core.jwk import Algorithm
from core.key_sets import MAX_ISSUER

_WORD = rf"[^\s{MARKS}]*"
Issuer = Annotated[
    str,
    Worded(r"https?://[!-~]+", "must be an address, byte for byte as tokens have it in `iss`", longest=MAX_ISSUER),
]
Plain = Annotated[str, Worded(r"[!-~]*", "must be printable characters without spaces", longest=512)]
Claim = Annotated[
    str, Worded(_WORD, "must be the name of a claim, or a path such as realm_access.roles", longest=256)
]
ClaimNamed = Annotated[
    str, Worded(rf"[^\s{MARKS}]+", "must be the name of a claim, or a path to it", shortest=1, longest=256)
]
Value = Annotated[str, Worded(rf"[^{MARKS}]+", "must be text without control characters", shortest=1, longest=256)]
Secret = Annotated[str, Worded(r"[ -~]*", "must be printable characters", longest=1_024)]
Domain = Annotated[str, Bound(min_length=1, max_length=253)]


def _usual_algorithms() -> list[Algorithm]:
    return ["RS256", "PS256", "ES256", "EdDSA"]


class TeamRuleModel(Model):
    """Whoever has this value in the claim of teams is in this team."""

    value: Value
    team_id: Id
    role: Role = "member"


class RoleRuleModel(Model):
    """Whoever has this value in the claim of roles has this role."""

    value: Value
    role: Role


class ExchangeModel(Model):
    """How the provider exchanges a token that it gave for one that a server takes (RFC 8693)."""

    enabled: bool = Bound(False, description="Whether entries may name it for their servers' tokens.")
    style: Literal["token_exchange", "on_behalf_of"] = Bound(
        "token_exchange", description="By RFC 8693, or as Microsoft Entra wants it (`on_behalf_of`)."
    )
    token_endpoint: Plain = Bound("", description="Where; empty: as its metadata says.")
    client_id: Plain = Bound(
        "", description="Of the client that may exchange; empty: the one that people sign in with."
    )
    client_authentication: ClientAuthentication = Bound(
        "client_secret_basic", description="How that client shows itself, where it is one of its own."
    )
    subject_token: Literal["access_token", "id_token"] = Bound(
        "access_token", description="Which of what it gave at a sign-in it takes."
    )
    sends_scope: bool = Bound(True, description="False: for a provider that refuses a scope here.")
    parameters: Annotated[dict[Plain, Plain], Bound(max_length=20)] = Bound(
        default_factory=dict, description="More parameters of the request."
    )


def _no_exchange() -> ExchangeModel:
    return ExchangeModel.model_validate({})


class ServiceRuleModel(Model):
    """Whoever has all these claims is a job that calls as this service account."""

    oauth_client_id: Id = Bound(description="An OAuth client that acts by itself.")
    claims: Annotated[dict[ClaimNamed, Value], Bound(min_length=1, max_length=MAX_CLAIMS)] = Bound(
        description="Each claim's value, whole, or its beginning before a `*`."
    )


class ProviderFields(Model):
    """Fields of an identity provider that are set. `control/registry/identity_provider.py` has their names."""

    slug: Slug = Bound(description="Its name in the address of the sign-in.")
    name: Name = Bound(description="What people read on the sign-in page.")
    issuer: Issuer = Bound(description="Exactly as its tokens have it in `iss`; its metadata is found below it.")
    enabled: bool = Bound(True, description="False: nobody signs in with it, and its tokens open nothing.")
    sign_in: bool = Bound(True, description="People sign in with it; false: only gateways take its tokens.")
    client_id: Plain = Bound("", description="Archway's own at the provider, for signing in.")
    client_authentication: ClientAuthentication = Bound(
        "client_secret_basic", description="How Archway shows the provider that it is that client."
    )
    scopes: Annotated[list[Plain], Bound(max_length=50)] = Bound(
        default_factory=lambda: ["openid", "profile", "email", "offline_access"],
        description="What is asked for at a sign-in. Without offline_access nobody can be asked about later.",
    )
    authorize_parameters: Annotated[dict[Plain, Plain], Bound(max_length=20)] = Bound(
        default_factory=dict, description="More parameters of the sign-in's address; an empty one is not sent."
    )
    audiences: Annotated[list[Plain], Bound(max_length=50)] = Bound(
        default_factory=list, description="What tokens may be for that gateways take; each gateway names one."
    )
    algorithms: Annotated[list[Algorithm], Bound(max_length=10)] = Bound(
        default_factory=_usual_algorithms, description="What its tokens may be signed by."
    )
    email_claim: Claim = "email"
    name_claim: Claim = "name"
    teams_claim: Claim = Bound("", description="The claim that `team_rules` look at, such as groups.")
    roles_claim: Claim = Bound("", description="The claim that `role_rules` look at, such as roles.")
    assume_email_verified: bool = Bound(
        False, description="For a provider that never says `email_verified`, where nobody chooses their own address."
    )
    allowed_domains: Annotated[list[Domain], Bound(max_length=200)] = Bound(
        default_factory=list, description="Domains of verified addresses by which people are found or made."
    )
    match_email: bool = Bound(True, description="Find people by their address, in an allowed domain.")
    create_people: bool = Bound(False, description="Make whoever is not here yet, in an allowed domain.")
    highest_role: Role = Bound("member", description="Nobody gets more than this by it.")
    team_rules: Annotated[list[TeamRuleModel], Bound(max_length=MAX_RULES)] = Bound(default_factory=list)
    role_rules: Annotated[list[RoleRuleModel], Bound(max_length=MAX_RULES)] = Bound(default_factory=list)
    approved_hosts: Annotated[list[Plain], Bound(max_length=20)] = Bound(
        default_factory=list, description="Origins of its endpoints that are not the issuer's own."
    )
    exchange: ExchangeModel = Bound(
        default_factory=_no_exchange, description="How it exchanges tokens for those that servers take."
    )
    admits_external: bool = Bound(
        False, description="Whoever it knows and who has no account here may call gateways of the teams it gives."
    )
    service_rules: Annotated[list[ServiceRuleModel], Bound(max_length=MAX_SERVICE_RULES)] = Bound(
        default_factory=list, description="Jobs that call as service accounts; the first that fits decides."
    )


class ProviderCreate(ProviderFields):
    """A new identity provider, with the secret of its client."""

    client_secret: Secret = Bound("", description="Kept sealed, and never shown.")
    exchange_client_secret: Secret = Bound(
        "", description="Of the client that exchanges tokens, where it has its own."
    )


class ProviderPatch(ProviderFields, Change):
    """A change of an identity provider: fields that are named change, of `exchange` too; lists and maps are replaced
    whole.
    """

    client_secret: Secret = Bound("", description="Another one; empty: none.")
    exchange_client_secret: Secret = Bound("", description="Another one; empty: none.")

    def changes(self) -> dict[str, Any]:
        """What is named, of `exchange` too."""
        named = "exchange" in self.model_fields_set
        return super().changes() | ({"exchange": self.exchange.model_dump(exclude_unset=True)} if named else {})


class ProviderQuery(NamedPageQuery):
    """Filters of the list of identity providers."""

    slug: Annotated[str | None, Bound(max_length=63, description="Only the one of this slug.")] = None


class ProviderSeen(View):
    """What was last seen of an identity provider."""

    endpoints: dict[str, str] = Bound(description="Addresses that it names; empty before it was first asked.")
    discovered_at: Moment | None
    foreign_hosts: list[str] = Bound(description="Origins of endpoints that are not the issuer's own.")
    unapproved_hosts: list[str] = Bound(
        description="Those that are not among `approved_hosts`: nothing is sent there."
    )
    keys: list[str] = Bound(description="Names of the keys that its tokens are checked with.")
    skipped_keys: list[str] = Bound(description="Why some that it publishes are not used.")
    fetched_at: Moment | None = Bound(description="When it last said that these are its keys.")
    tried_at: Moment | None
    fault: str = Bound(description="Why it could not be asked the last time; empty if it could.")


class ProviderView(ProviderFields, Item):
    """An identity provider as it is shown: without its secret, with what was last seen of it."""

    has_client_secret: bool
    has_exchange_client_secret: bool
    redirect_uri: str = Bound(description="To be registered at the provider.")
    seen: ProviderSeen
    warnings: list[str] = Bound(description="What keeps people or tokens out, or soon will, and what to do.")
    created_at: Moment
    updated_at: Moment
    version: int


class PersonAtProvider(Item):
    """Who somebody is at an identity provider."""

    user_id: Id
    name: str
    user_email: Email
    subject: str
    email: str = Bound(description="As the provider last called it.")
    signed_in_at: Moment | None = Bound(description="Null for somebody who is known by tokens of calls alone.")
    checked_at: Moment | None = Bound(description="When the provider last said that there is such a person.")
    gone_at: Moment | None = Bound(description="Since when it knows them no more.")
    fault: str = Bound(description="Why it could not be asked about them the last time; empty if it could.")
