"""The gateway, now that the person is known: one that they see, or the only one that both can mean."""

from control.oauth.authorize.request import AuthorizeRequest
from control.oauth.errors import OAuthRefused
from control.oauth.named_gateway import invalid_target
from control.registry.gateway import visibility_of
from control.registry.sign_in_cures import visible_to_them
from control.store import gateway_names
from control.store.pool import transaction
from core.resolve import Principal
from core.visibility import may_enter


async def check_gateway(asked: AuthorizeRequest) -> None:
    """Refuse a gateway that this person does not see, and a request that leaves more than one to choose from."""
    if asked.gateway is None:
        await _bind(asked)
        return
    caller = asked.person.caller
    person = Principal("user", caller.user_id, caller.name, frozenset(caller.teams))
    gateway = asked.gateway
    if not may_enter(person, visibility_of(gateway)):
        raise OAuthRefused(
            "access_denied",
            "There is no such gateway, or you may not see it.",
            reason=f"The person may not see the gateway {gateway.slug}, whose visibility is {gateway.visibility}.",
            cure=visible_to_them(gateway.slug),
        )


async def _bind(asked: AuthorizeRequest) -> None:
    async with transaction(asked.server.pool, readonly=True) as connection:
        fitting = await gateway_names.callable_by(
            connection, asked.person.caller.user_id, asked.named_client.client_id
        )
    if len(fitting) != 1:
        raise invalid_target("The request names no gateway, and there is not exactly one that it can mean.")
    asked.gateway = fitting[0]
