"""`/me`: who the caller is, as the API knows them."""

from control.admin.api import Asked, Operations
from control.admin.me_models import ClaimOfMine, ClaimsOfMe, Me, SaidOfMe, TeamOfMine, ValueOfMine
from control.admin.resource import one_or_404, shown
from control.admin.user_models import User
from control.identity.said_to_oneself import SaidBy, said_to_oneself
from control.registry.actions import ACTIONS
from control.store import teams, users
from control.store.pool import transaction

operations = Operations("me")


@operations.get("/me")
async def get_me(asked: Asked) -> Me:
    """Show who is signed in, and what they hold; everybody has more for what is their own and shown to them."""
    caller = asked.caller
    everywhere = caller.permissions
    async with transaction(asked.pool, readonly=True) as connection:
        row = await users.one(connection, asked.caller.user_id)
        mine = await teams.of_user(connection, asked.caller.user_id)
    return Me(
        user=shown(User, one_or_404(row, "user")),
        teams=[shown(TeamOfMine, team) for team in mine],
        permissions=[action for action in ACTIONS if action in everywhere],
        team_permissions={
            team_id: [action for action in ACTIONS if action in caller.permissions_for(team_id) - everywhere]
            for team_id in caller.teams
        },
        token_id=asked.caller.token_id or None,
    )


@operations.get("/me/claims")
async def get_claims(asked: Asked) -> ClaimsOfMe:
    """Show what identity providers said of you at your last sign-in, and what each of it gives you; to you alone."""
    async with transaction(asked.pool, readonly=True) as connection:
        said = await said_to_oneself(connection, asked.deps.safeguards.seals, asked.caller.user_id)
    return ClaimsOfMe(items=[_said(one) for one in said])


def _said(said: SaidBy) -> SaidOfMe:
    claims = [
        ClaimOfMine(
            name=one.name,
            values=[ValueOfMine(value=value.value, gives=value.gives) for value in one.values],
            note=one.note,
        )
        for one in said.claims
    ]
    return shown(SaidOfMe, said, provider_id=said.provider.id, provider=said.provider.name, claims=claims)
