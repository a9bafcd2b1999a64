"""What a gateway's identity provider lets in, and why it does not: its own tokens, jobs, people without an account.

Called by `who_calls.py` and `causes.py`. Pure, of rows; judges as `control/identity/` does at a call, as far as
that is known without a token. Each cause comes with what helps: sentences for whoever may ask about others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Final

from control.registry.external_principal import ExternalPrincipal
from control.registry.gateway import Gateway
from control.registry.identity_provider import IdentityProvider, TeamRule
from control.registry.oauth_client import OAuthClient
from core.resolve import Way

_MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Admitted:
    """How the gateway takes somebody without an account."""

    teams: frozenset[str] = frozenset()
    """Of the gateway's, those in which the provider's rules may put them."""
    enters: str = ""
    """What of the token decides whether they enter; '' where that is known."""
    known: bool = True
    """Whether the provider lets them in at all; False: their token opens nothing here."""
    cause: str = ""
    cure: str = ""


def takes_tokens(gateway: Gateway, provider: IdentityProvider | None) -> bool:
    """Whether the gateway takes this provider's own tokens now."""
    return provider is not None and provider.enabled and gateway.identity_provider_audience in provider.audiences


def way_not_taken(gateway: Gateway, provider: IdentityProvider | None, way: Way) -> tuple[str, str]:
    """What the gateway or its provider lacks for this way of coming, and what helps; the cause '' where the gateway
    merely does not accept it, which its other ways say better.
    """
    change = f"archway gateways update {gateway.slug}"
    named = "" if provider is not None else " --identity-provider PROVIDER"
    if way == "id_jag" and not (gateway.takes_assertions and provider is not None):
        return "", f"Let it take assertions of its provider with `{change} --takes-assertions{named}`."
    if provider is None or not (gateway.identity_provider_audience or way == "id_jag"):
        return "", f"Let it take a provider's tokens with `{change}{named} --audience AUDIENCE`."
    change = f"archway identity-providers update {provider.slug}"
    if not provider.enabled:
        return f"{provider.name} is switched off.", f"Switch it on with `{change} --enabled`."
    audience = gateway.identity_provider_audience
    if way == "jwt" and audience not in provider.audiences:
        cause = f"{provider.name} does not allow the audience {audience} any more."
        return cause, f"Allow it with `{change} --add-audience {quote(audience)}`."
    return "", ""


def no_rule_for(provider: IdentityProvider, client: OAuthClient) -> tuple[str, str]:
    """Why no token of the provider calls as this service account, and what helps; '' twice where one may."""
    if any(rule.oauth_client_id == client.id and rule.claims for rule in provider.service_rules):
        return "", ""
    change = f"archway identity-providers update {provider.slug} --service-rules RULES"
    rule = f'{{"oauth_client_id": "{client.id}", "claims": {{"CLAIM": "VALUE"}}}}'
    beside = ", beside those that are there" if provider.service_rules else ""
    return (
        f"No rule of {provider.name} calls as {client.name}.",
        f"Add one with `{change}`, such as `{rule}`{beside}.",
    )


def admitted(
    gateway: Gateway, provider: IdentityProvider, external: ExternalPrincipal, team_names: Mapping[str, str]
) -> Admitted:
    """Whether somebody without an account enters, whose provider's tokens the gateway takes. `team_names`: of the
    gateway's teams, by identifier.
    """
    change = f"archway identity-providers update {provider.slug}"
    if external.provider_id != provider.id:
        cause = f"The gateway takes tokens of {provider.name}, and they come with one of {external.issuer}."
        return Admitted(known=False, cause=cause, cure="Show them a gateway that takes their provider's tokens.")
    if not provider.admits_external:
        cause = f"{provider.name} lets in nobody who has no account here."
        return Admitted(known=False, cause=cause, cure=f"Let it with `{change} --admits-external`.")
    if gateway.visibility == "organisation":
        return Admitted(
            cause=f"{gateway.name} is for everybody with an account; who has none enters gateways of teams alone.",
            cure=f"Show it to a team with `archway gateways update {gateway.slug} --visibility teams --team TEAM`.",
        )
    giving = [rule for rule in provider.team_rules if rule.team_id in gateway.teams] if provider.teams_claim else []
    if giving:
        of_claim = f"Depends on the token's claim `{provider.teams_claim}`"
        enters = f"{of_claim}; these values give a team of the gateway: {_told(giving, team_names)}."
        return Admitted(frozenset(rule.team_id for rule in giving), enters)
    if gateway.visibility == "personal":
        return Admitted()
    claim = "" if provider.teams_claim else " --teams-claim CLAIM"
    rule = f'{{"value": "VALUE", "team_id": "{next(iter(gateway.teams), "TEAM")}"}}'
    beside = ", beside those that are there" if provider.team_rules else ""
    return Admitted(
        cause=f"No team rule of {provider.name} gives a team of {gateway.name}.",
        cure=f"Add one with `{change}{claim} --team-rules RULES`, such as `{rule}`{beside}.",
    )


def _told(rules: Sequence[TeamRule], team_names: Mapping[str, str]) -> str:
    told = [f"`{rule.value}` gives {team_names.get(rule.team_id, rule.team_id)}" for rule in rules[:_MOST_NAMED]]
    return ", ".join(told) + (f" and {len(rules) - _MOST_NAMED} more" if len(rules) > _MOST_NAMED else "")
