"""Limits of sign-ins with identity providers and of whom they let in, as `docs/operating/limits.md` has them."""

from __future__ import annotations

from typing import Final

from control.identity import kept_lease, kept_state, kept_tokens, presence, refreshes, said_claims, token_endpoint
from control.registry import external_principal, job_rules

SIGN_INS: Final = {
    "seconds that a call waits for the next token of a person's sign-in": f"{kept_tokens.WAIT_S:g}",
    "seconds before its end in which a token is refreshed before it is given": f"{kept_state.AHEAD_S:g}",
    "seconds after a failed refresh in which the provider is not asked about the person again": (
        f"{kept_lease.REST_S:g}; by itself {presence.AGAIN_S:g}"
    ),
    "refreshes at one provider that one control does at once": f"{refreshes.AT_ONE_PROVIDER}",
    "refreshes that are begun in one control and not over": f"{refreshes.MOST_RUNS:,}",
    "people of whom one control asks in a round of a minute": f"{presence.AT_ONCE}",
    "seconds that an access token is kept whose end the provider does not say, and which it does not refresh": (
        f"{token_endpoint.UNSAID_S:,.0f}"
    ),
    "all that a provider said of a person": (
        f"{said_claims.MOST_BYTES >> 10} KiB; a text of it {said_claims.LONGEST} characters"
    ),
    "people without an account of one provider that are known": f"{external_principal.MOST_OF_A_PROVIDER:,}",
    "days that one is known without calling": f"{external_principal.UNSEEN_DAYS}",
    "rules of one provider for jobs": f"{job_rules.MAX_SERVICE_RULES}, each of {job_rules.MAX_CLAIMS} claims",
}
