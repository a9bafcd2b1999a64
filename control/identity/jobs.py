"""Which service account a provider's own token calls as, by what its claims say of a job.

Called by `callers.py` before it looks for a person. The first rule whose claims a token has, all of them, decides:
where its service account is switched off or gone, the token is nobody's, and no later rule is looked at.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from control.providers.claim import claim
from control.registry.identity_provider import IdentityProvider, ServiceRule
from control.registry.job_rules import is_said
from control.registry.oauth_client import principal_of
from control.store import oauth_clients
from control.store.pool import Connection
from core.jwt import VerifiedClaims
from core.resolve import CallerVerdict

LONGEST_SAID: Final = 200
"""Characters of what a token says that are told to those who look why it was refused."""
_LONGEST_CLAIM: Final = 64


def rule_for(rules: Sequence[ServiceRule], claims: Mapping[str, Any]) -> ServiceRule | None:
    """The first rule that these claims fit."""
    return next((rule for rule in rules if _fits(rule, claims)), None)


def fits_none(provider: IdentityProvider, claims: VerifiedClaims, digest: str) -> CallerVerdict:
    """The verdict on a token that holds, fits no rule and is nobody's: with those of its claims that rules name."""
    names = dict.fromkeys(name for rule in provider.service_rules for name in rule.claims)
    found = {name: value for name in names if isinstance(value := claim(claims, name), str)}
    why, said = "no_rule", ", ".join(f"{name}={value[:_LONGEST_CLAIM]}" for name, value in found.items())
    if not said:
        why, said = "nobody", str(claims.get("sub", ""))
    return CallerVerdict(digest, refusal="unknown", auth="jwt", why=why, said=said[:LONGEST_SAID])


async def verdict_on_job(
    connection: Connection, digest: str, claims: VerifiedClaims, rule: ServiceRule
) -> CallerVerdict:
    """The verdict on a token that fits this rule; its OAuth client is the one that the service account is."""
    client = await oauth_clients.one(connection, rule.oauth_client_id)
    if client is None or client.acts != "by_itself":
        return CallerVerdict(digest, refusal="unknown", auth="jwt")
    if client.disabled_at is not None:
        return CallerVerdict(
            digest,
            refusal="disabled",
            auth="jwt",
            client=client.client_id,
            why="job_shut_out",
            said=client.client_id[:LONGEST_SAID],
        )
    await oauth_clients.note_use(connection, client.id)
    return CallerVerdict(
        digest,
        principal_of(client.id, client.name, client.team_id),
        expires=float(claims["exp"]),
        auth="jwt",
        client=client.client_id,
    )


def _fits(rule: ServiceRule, claims: Mapping[str, Any]) -> bool:
    return bool(rule.claims) and all(is_said(claim(claims, name), value) for name, value in rule.claims.items())
