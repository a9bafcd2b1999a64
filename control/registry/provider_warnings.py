"""What an admin should know of an identity provider: what keeps people or tokens out, or soon will, and what to do.

Called where a provider or a gateway that names one is read. Advice only: nothing that is decided looks at it.
"""

from control.registry.identity_provider import IdentityProvider, ProviderState
from control.registry.oauth_scopes import OFFLINE
from core.jwk import NOT_FOR_SIGNATURES
from core.key_sets import HARD_S


def provider_warnings(provider: IdentityProvider, state: ProviderState, now: float) -> list[str]:
    """Sentences for the admin of the provider."""
    if not provider.enabled:
        return []
    found: list[str] = []
    if state.endpoints is not None and (hosts := provider.unapproved_hosts(state.endpoints)):
        found.append(
            f"Its endpoints are at {', '.join(hosts)}, which is not the issuer's host, so nothing is sent there: "
            "look at them, then add them to `approved_hosts`."
        )
    elif state.fault:
        found.append(_fault(state, now))
    elif state.endpoints is None:
        found.append(f"It was not asked yet: `archway identity-providers test {provider.slug}`.")
    unfit = [why for why in state.skipped if not why.endswith(NOT_FOR_SIGNATURES)]
    found += [f"Of the keys that it publishes, one is not used: {why}." for why in unfit[:5]]
    if provider.sign_in and OFFLINE not in provider.scopes:
        found.append(
            "It is not asked for offline_access, so it cannot be asked whether somebody is still there; that matters "
            "unless it gives refresh tokens in another way."
        )
    return found


def gateway_warning(provider: IdentityProvider, audience: str, state: ProviderState, now: float) -> str:
    """Why a gateway takes no tokens of the provider that it names; '' where it does. `audience`: what those must be
    for; '' where it takes only assertions.
    """
    if not provider.enabled:
        return f"The identity provider {provider.name} is switched off, so none of its tokens opens this gateway."
    if audience and audience not in provider.audiences:
        return f"The identity provider {provider.name} allows the audience of this gateway no more: choose another."
    if not state.keys or state.fetched_at is None or now - state.fetched_at.timestamp() >= HARD_S:
        return f"No keys of the identity provider {provider.name} are known, so none of its tokens can be checked."
    return ""


def _fault(state: ProviderState, now: float) -> str:
    if not state.keys or state.fetched_at is None:
        return f"It cannot be asked: {state.fault}."
    hours = max(0, HARD_S - (now - state.fetched_at.timestamp())) / 3_600
    return (
        f"It cannot be asked: {state.fault}. Its keys of before are used, for {hours:.0f} h more."
        if hours
        else f"It cannot be asked: {state.fault}. Its keys are too old to be used."
    )
