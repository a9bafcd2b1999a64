"""Identity providers on the command line: where people sign in, and whose own tokens gateways take."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from archway.admin.commands import commands, explained
from archway.admin.connection import connect
from archway.admin.form import Form, with_form
from archway.admin.lookup import find
from archway.admin.resource import Action, Option, Resource, in_parts
from archway.admin.show import show_list
from archway.options import DEFAULT_STATE, State

ProviderNamed = Annotated[str, typer.Argument(help="The identity provider's slug, name or id.")]
_TEAM_RULES = '[{"value": "eng", "team_id": "0199...", "role": "member"}]'
_ROLE_RULES = '[{"value": "archway-admins", "role": "admin"}]'
_EXCHANGE = '{"enabled": true, "client_id": "archway-exchange"}'
_SERVICE_RULES = '[{"oauth_client_id": "0199...", "claims": {"repository": "acme/shop", "ref": "refs/tags/*"}}]'
_SCOPE = "A scope that is asked for at a sign-in"
_AUDIENCE = "What tokens may be for that gateways take"
_DOMAIN = "A domain of verified addresses by which people are found or made"
_HOST = "The origin of an endpoint that is not the issuer's own, once you have looked at it"
_PARAMETER = "One more parameter of the sign-in's address, name=value"
_ALGORITHM = (
    "What its tokens may be signed by: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA"
)

_PLAIN = (
    Option("slug", "Short unique name, a DNS label; part of the sign-in's address.", needed=True),
    Option("name", "What people read on the sign-in page.", needed=True),
    Option("issuer", "Its address, exactly as its tokens have it in `iss`.", needed=True),
    Option("enabled", "Nobody signs in with it otherwise, and its tokens open nothing.", "flag"),
    Option("sign_in", "People sign in with it; otherwise only gateways take its tokens.", "flag"),
    Option("client_id", "Archway's own at the provider."),
    Option(
        "client_secret", "Asked for at the terminal; in scripts --value-from-env client_secret=VARIABLE.", "prompt"
    ),
    Option(
        "client_authentication",
        "How Archway shows it is that client: client_secret_basic, client_secret_post or none.",
    ),
    Option(
        "exchange",
        'How it exchanges tokens for servers, as JSON: "enabled", "style" (token_exchange or on_behalf_of), '
        '"token_endpoint", "client_id", "client_authentication", "subject_token" (access_token or id_token), '
        f'"sends_scope", "parameters"; such as {_EXCHANGE}.',
        "json",
        example=_EXCHANGE,
    ),
    Option("exchange_client_secret", "Of the client that exchanges, where it has one; asked for too.", "prompt"),
    Option("email_claim", "The claim with the address; email."),
    Option("name_claim", "The claim with the name; name."),
    Option("teams_claim", "The claim that the rules of teams look at, such as groups."),
    Option("roles_claim", "The claim that the rules of roles look at, such as realm_access.roles."),
    Option(
        "assume_email_verified",
        "Where it never says email_verified, and nobody there chooses their own address.",
        "flag",
    ),
    Option("match_email", "Find people by their address, in an allowed domain.", "flag"),
    Option("create_people", "Make whoever is not here yet, in an allowed domain.", "flag"),
    Option("highest_role", "Nobody gets more than this by it: admin, editor or member."),
    Option(
        "team_rules", f"Which value gives which team, as JSON such as {_TEAM_RULES}.", "json", example=_TEAM_RULES
    ),
    Option(
        "role_rules", f"Which value gives which role, as JSON such as {_ROLE_RULES}.", "json", example=_ROLE_RULES
    ),
    Option("admits_external", "People without an account here may call gateways of the teams it gives.", "flag"),
    Option(
        "service_rules",
        "Which claims of a job's token make it call as which service account; a value may end with *. JSON such as "
        f"{_SERVICE_RULES}.",
        "json",
        example=_SERVICE_RULES,
    ),
)


def _unanswered(provider: Mapping[str, Any]) -> str:
    """Why the provider did not say what it was asked; '' where it did."""
    slug, seen = provider["slug"], provider["seen"]
    if not provider["enabled"]:
        return f"{slug} was not asked: it is switched off. archway identity-providers update {slug} --enabled"
    if seen["unapproved_hosts"]:
        return (
            f"{slug} was not asked for all: look at {', '.join(seen['unapproved_hosts'])}, then --add-approved-host"
        )
    return f"{slug} could not be asked: {seen['fault']}" if seen["fault"] else ""


PROVIDER = Resource(
    name="identity-providers",
    one="identity provider",
    path="/identity-providers",
    help="Identity providers: where people sign in, and whose own tokens gateways take.",
    columns=("slug", "name", "issuer", "enabled", "sign_in", "warnings", "id"),
    filters=(Option("slug", "Only the one of this slug."),),
    create=(
        *_PLAIN,
        Option("scopes", f"{_SCOPE}; may be repeated.", "list", flag="scope"),
        Option("authorize_parameters", f"{_PARAMETER}; may be repeated.", "map", flag="parameter"),
        Option("audiences", f"{_AUDIENCE}; may be repeated.", "list", flag="audience"),
        Option("algorithms", f"{_ALGORITHM}; may be repeated.", "list", flag="algorithm"),
        Option("allowed_domains", f"{_DOMAIN}; may be repeated.", "list", flag="domain"),
        Option("approved_hosts", f"{_HOST}; may be repeated.", "list", flag="approve_host"),
    ),
    update=(
        *_PLAIN,
        *in_parts("scopes", "scope", "list", _SCOPE),
        *in_parts("authorize_parameters", "parameter", "map", _PARAMETER),
        *in_parts("audiences", "audience", "list", _AUDIENCE),
        *in_parts("algorithms", "algorithm", "list", _ALGORITHM),
        *in_parts("allowed_domains", "domain", "list", _DOMAIN),
        *in_parts("approved_hosts", "approved_host", "list", _HOST, whole="approve_host"),
    ),
    actions=(Action("test", "Ask it now for its metadata and keys, and show what it says.", "asked", _unanswered),),
    examples={
        "create": (
            "archway identity-providers create --slug corp --name 'Corp sign-in' --issuer https://id.example.com "
            "--client-id archway --client-secret --domain example.com",
            "archway identity-providers create --slug agents --name Agents --issuer https://id.example.com "
            "--no-sign-in --audience https://tools.example.com/v1/mcp/sales",
        ),
        "list": ("archway identity-providers list",),
        "show": ("archway identity-providers show corp",),
        "update": (
            "archway identity-providers update corp --teams-claim groups "
            """--team-rules '[{"value": "eng", "team_id": "0199..."}]'""",
            "archway identity-providers update google --add-approved-host https://oauth2.googleapis.com",
        ),
        "delete": ("archway identity-providers delete corp",),
        "test": ("archway identity-providers test corp",),
    },
)
IDENTITY_PROVIDERS = commands(PROVIDER)


@IDENTITY_PROVIDERS.command("people")
@with_form
def people(provider: ProviderNamed, state: State = DEFAULT_STATE, form: Form = Form.TABLE) -> None:
    """List who is known by a provider, and when it was last asked about them.

    [bold]Example[/bold]

      archway identity-providers people corp
    """
    with explained():
        api = connect(state)
        found: Any = api.pages(f"/identity-providers/{find(api, 'identity_provider', provider)}/people")
        show_list(list(found), ("name", "user_email", "subject", "checked_at", "gone_at", "fault", "id"), form)


@IDENTITY_PROVIDERS.command("unlink")
def unlink(
    provider: ProviderNamed,
    identity: Annotated[str, typer.Argument(help="The id that `people` shows of their account there.")],
    state: State = DEFAULT_STATE,
) -> None:
    """Unlink a person from their account at a provider; by another account they can be found again.

    [bold]Example[/bold]

      archway identity-providers unlink corp 01996f3e-0000-7000-8000-000000000000
    """
    with explained():
        api = connect(state)
        api.delete(f"/identity-providers/{find(api, 'identity_provider', provider)}/people/{identity}")
        typer.echo("unlinked")
