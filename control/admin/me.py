"""`/me`: who the caller is, as the API knows them."""

from control.admin.api import Asked, Operations
from control.admin.me_models import Me, TeamOfMine
from control.admin.resource import one_or_404, shown
from control.admin.user_models import User
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
