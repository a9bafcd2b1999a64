"""What an admin should know of an identity provider: what keeps people or tokens out, or soon will, and what to do.

Called where a provider or a gateway that names one is read. Advice only: nothing that is decided looks at it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from control.registry.external_principal import MOST_OF_A_PROVIDER
from control.registry.identity_provider import IdentityProvider, ProviderState
from control.registry.job_rules import tells_whose
from control.registry.oauth_scopes import OFFLINE
from core.jwk import NOT_FOR_SIGNATURES
from core.key_sets import HARD_S

_MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class InUse:
    """What rests on one identity provider: its people without an account, servers, and service accounts of jobs."""

    externals: int = 0
    """How many of its people without an account are known."""
    entries: tuple[str, ...] = ()
    """Servers that get tokens which it exchanges, by slug."""
    accounts: Mapping[str, bool] = field(default_factory=dict)
    """The service accounts that its rules name and that are there, by row: whether each is let in."""


def provider_warnings(
    provider: IdentityProvider, state: ProviderState, now: float, use: InUse | None = None
) -> list[str]:
    """Sentences for the admin of the provider. `use`: what rests on it; None: it was not looked up."""
    found = _of_servers(provider, use) if use is not None else []
    if not provider.enabled:
        return found
    found += _of_callers(provider, use)
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


def _of_servers(provider: IdentityProvider, use: InUse) -> list[str]:
    """Servers that nobody can call for want of its tokens."""
    if not use.entries or provider.exchanges_tokens:
        return []
    what = "its exchange is" if provider.enabled else "it is"
    more = f" and {len(use.entries) - _MOST_NAMED} more" if len(use.entries) > _MOST_NAMED else ""
    named = ", ".join(use.entries[:_MOST_NAMED]) + more
    return [f"Nobody can call {named}: these servers get tokens that it gives for callers, and {what} switched off."]


def _of_accounts(provider: IdentityProvider, use: InUse) -> list[str]:
    """Rules for jobs that let none in."""
    became = {None: "deleted", False: "disabled"}
    return [
        f"Rule {number} of its `service_rules` calls as a service account that is {became[is_in]}: a job that fits "
        "it is refused, and no later rule is tried."
        for number, rule in enumerate(provider.service_rules, start=1)
        if (is_in := use.accounts.get(rule.oauth_client_id)) is not True
    ]


def _of_callers(provider: IdentityProvider, use: InUse | None) -> list[str]:
    """What its settings let in, or nobody."""
    externals = use.externals if use is not None else 0
    found = _of_accounts(provider, use) if use is not None else []
    found += [
        f"Rule {number} of its `service_rules` names no claim that tells whose job it is, whole or up to the owner's "
        "end, such as `repository` or `project_path`: jobs of others at this provider may fit it too."
        for number, rule in enumerate(provider.service_rules, start=1)
        if not tells_whose(rule)
    ]
    if provider.admits_external and externals >= MOST_OF_A_PROVIDER:
        found.append(
            f"It has {MOST_OF_A_PROVIDER:,} people without an account here, as many as are kept: others are refused "
            "until some have not called for long."
        )
    if provider.admits_external and not (provider.teams_claim and provider.team_rules):
        found.append(
            "It admits people without an account, and no rule gives them a team: no gateway is open to them. Set "
            "`teams_claim` and `team_rules`."
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
