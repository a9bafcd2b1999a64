"""Notes what a client did at an endpoint, with where it came from; what it is told it is told by the endpoint.

Called by the endpoints. `control/records/sign_in_notes.py` keeps the notes, and bounds them.
"""

from aiohttp import web

from control.http.client_address import client_address
from control.oauth.errors import OAuthRefused
from control.records.sign_in_notes import SignInNotes
from control.registry.sign_in_attempt import NewAttempt, Step


class Traces:
    """Notes the steps of clients: those that went well, and those that were refused."""

    def __init__(self, notes: SignInNotes) -> None:
        self._notes = notes

    async def note(
        self,
        request: web.Request,
        step: Step,
        *,
        client: str = "",
        gateway: str = "",
        user_id: str | None = None,
        refused: OAuthRefused | None = None,
    ) -> None:
        """Note one step; `refused` where it failed. What the refusal knows better than the caller counts."""
        reason, asked, cure = (refused.reason, refused.asked, refused.cure) if refused else ("", "", "")
        if refused is not None and refused.gateway:
            gateway = refused.gateway
        if refused is not None and refused.grant is not None:
            gateway, user_id = refused.grant.gateway_slug, refused.grant.user_id
        await self._notes.note(
            NewAttempt(
                step=step,
                client=client,
                gateway=gateway,
                user_id=user_id,
                address=client_address(request),
                reason=reason,
                asked=asked,
                cure=cure,
            )
        )
