"""What identity providers said of a person at their last sign-in with each, for that person and for nobody else.

Called by `/me/claims` of the admin API and by the person's own page, each for whoever asks. What the claims mean is
in `said_claims.py`.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from control.identity.said_claims import SaidClaim, explained, unpacked_claims
from control.registry.identity_provider import IdentityProvider
from control.registry.row_seals import RowSeals
from control.store import identities, identity_providers, teams
from control.store.pool import Connection
from core.sealing import SealBroken

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SaidBy:
    """What one provider said of a person."""

    provider: IdentityProvider
    signed_in_at: datetime
    claims: list[SaidClaim]
    left_out: int
    """Claims and values that there was no room for."""


async def said_to_oneself(connection: Connection, seals: RowSeals, user_id: str) -> list[SaidBy]:
    """What each provider said of this user, the last sign-in first; what cannot be opened any more is left out."""
    told: list[SaidBy] = []
    for said in await identities.said_of_user(connection, user_id):
        provider = await identity_providers.one(connection, said.provider_id)
        if provider is None:
            continue
        try:
            kept = unpacked_claims(seals.open_provider_claims(said.identity_id, said.claims))
        except SealBroken:
            log.exception("what an identity provider said of somebody cannot be opened any more")
            continue
        names = await teams.names_of(connection, [rule.team_id for rule in provider.team_rules])
        told.append(SaidBy(provider, said.signed_in_at, explained(provider, kept, names), kept.left_out))
    return told
