"""Why a caller with an identity provider's own token could not come in, and what helps. Pure.

Called by `sign_in_refusals.py`. `said` is what a token says of its bearer whose signature was found good; of any
other token nothing is said but that it was not taken.
"""

from shlex import quote

from control.registry.gateway import Gateway
from control.registry.identity_provider import IdentityProvider


def provider_refusal_told(
    why: str, said: str, gateway: Gateway, provider: IdentityProvider | None
) -> tuple[str, str] | None:
    """Reason and cure; None where the words are of no such token. `provider`: the one that the gateway names."""
    if provider is None:
        return None
    if why == "issuer" and not provider.enabled:
        return (
            f"The gateway takes tokens of the identity provider {provider.slug}, which is switched off.",
            f"If its tokens are to open gateways: archway identity-providers update {provider.slug} --enabled",
        )
    if not said:
        return None
    match why:
        case "audience":
            takes = gateway.identity_provider_audience
            return (
                f"The token is for {said}; this gateway takes {takes}.",
                f"Have the caller ask {provider.slug} for a token for {takes}. Or, where the provider may make "
                f"tokens for the other: archway gateways update {gateway.slug} --audience {quote(said)}",
            )
        case "external_shut_out":
            return (
                f"An admin has shut {said} out, who has no account here.",
                f"If they may come in again: archway external-principals enable {quote(said)}",
            )
        case "job_shut_out":
            return (
                f"The service account {said}, as which a rule of {provider.slug} has the job call, is switched off.",
                f"If it may come in again: archway oauth-clients enable {quote(said)}",
            )
        case "no_rule":
            return (
                f"No rule of {provider.slug} fits: {said}",
                "Mend the job, or the rules, of which the first that fits in all its claims decides: "
                f"archway identity-providers show {provider.slug}",
            )
        case "nobody":
            return (
                f"The token holds, and nobody here is {said} of {provider.slug}.",
                f"Whom it knows: archway identity-providers people {provider.slug}. People can be made at their "
                "first call (--create-people, in an allowed domain), or admitted without an account "
                "(--admits-external).",
            )
    return None
